"""Tests of gql_server/config."""
