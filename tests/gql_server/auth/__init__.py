"""Tests of gql_server/auth."""
