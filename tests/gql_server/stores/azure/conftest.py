"""Fixtures of the tests of Azure workspaces."""

from collections.abc import AsyncIterator

import pytest

from gql_server.stores.mlflow.tracking import MlflowTracking
from tests.support.limits import store_limits
from tests.support.stores.store import Store


@pytest.fixture
async def tracking(azure_store: Store) -> AsyncIterator[MlflowTracking]:
    """Yield the port over the workspace."""
    port = MlflowTracking(azure_store.uri, store_limits(store_threads=4))
    yield port
    await port.close()
