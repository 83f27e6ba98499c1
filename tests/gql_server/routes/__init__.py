"""Tests of gql_server/routes."""
