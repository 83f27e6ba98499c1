"""Tests of `gql_server`."""
