"""Fixtures of the tests of authentication."""

from collections.abc import Callable
from functools import partial

import httpx
import pytest

from tests.support.app.app_client import app_client
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.servers.token_provider import provider

__all__ = ["provider"]

QUERY = {"query": "{ experiments { nodes { name } } }"}


@pytest.fixture
def client_with() -> Callable[..., httpx.AsyncClient]:
    """Return the function that returns a client of an application with the given settings."""
    return partial(app_client, MemoryTracking([]), auth_failure_seconds=0.01)
