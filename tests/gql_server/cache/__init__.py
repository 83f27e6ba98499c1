"""Tests of gql_server/cache."""
