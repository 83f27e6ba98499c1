"""Tests of gql_server/observability."""
