"""Tests of `gql_server.tracking`."""
