"""Fixtures for tests of gql_server/routes."""

from tests.support.artifact_owners import model, run, server

__all__ = ["model", "run", "server"]
