"""Tests of gql_server/stores/writes."""
