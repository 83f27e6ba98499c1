"""Tests of `gql_server.stores.sql.event_loop`."""
