"""Tests of gql_server/live."""
