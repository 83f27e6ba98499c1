"""Tests of gql_server/stores/pushdown."""
