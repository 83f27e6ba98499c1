"""Tests of gql_server/http/graphiql."""
