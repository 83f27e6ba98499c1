"""Fixtures for tests of gql_server/routes."""

from tests.support.app.artifact_owners import graphql, model, run

__all__ = ["graphql", "model", "run"]
