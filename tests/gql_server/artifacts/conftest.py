"""Fixtures for tests of gql_server/artifacts."""

from tests.support.app.artifact_owners import graphql, model, run
from tests.support.app.cloud_repository import remote

__all__ = ["graphql", "model", "remote", "run"]
