"""Tests of gql_server/demo."""
