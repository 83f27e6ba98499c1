"""Tests of gql_server/runtime."""
