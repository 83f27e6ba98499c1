"""The audited server: over the demo's store, in a separate process."""

from collections.abc import Iterator

import pytest

from tests.support.servers.server_process import RunningServer, running_server
from tests.support.stores.demo_store import Demo


@pytest.fixture(scope="module")
def server(demo: Demo) -> Iterator[RunningServer]:
    """Serve the demo's store with the default settings."""
    with running_server("--directory", str(demo.directory), command="demo") as server:
        yield server
