"""Tests of gql_server/exports."""
