"""Tests of gql_server/http/parsers."""
