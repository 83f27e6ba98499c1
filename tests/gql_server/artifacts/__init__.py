"""Tests of gql_server/artifacts."""
