"""Fixtures for tests of gql_server/artifacts."""

from tests.support.artifact_owners import model, run, server

__all__ = ["model", "run", "server"]
