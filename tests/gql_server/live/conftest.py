"""Fixtures for tests of gql_server/live."""

from tests.support.servers.token_provider import provider

__all__ = ["provider"]
