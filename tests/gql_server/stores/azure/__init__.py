"""Tests of gql_server/stores/azure."""
