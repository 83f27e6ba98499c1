"""Tests of gql_server/operations."""
