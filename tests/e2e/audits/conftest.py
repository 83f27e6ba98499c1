"""The server as it is audited: over the demo's store, in a process of its own."""

from collections.abc import Iterator

import pytest

from tests.support.demo_store import Demo
from tests.support.serving import Serving, serving


@pytest.fixture(scope="module")
def server(demo: Demo) -> Iterator[Serving]:
    """Serve the demo's store with the default settings."""
    with serving("--directory", str(demo.directory), command="demo") as server:
        yield server
