"""The queries of README and of the demo return the results that are shown."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gql_server.demo.welcome import CURVES, LEADERBOARD
from tests.support.servers.server_process import RunningServer, running_server
from tests.support.stores.demo_store import Demo

README = (Path(__file__).parent.parent / "README.md").read_text()


@pytest.fixture(scope="module")
def server(demo: Demo) -> Iterator[RunningServer]:
    """Serve the demo store as `make demo` does."""
    with running_server("--directory", str(demo.directory), command="demo") as server:
        yield server


def test_readme_query_has_the_shown_result(server: RunningServer) -> None:
    """The query in README returns the result in README."""
    (query,) = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)
    (result,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert server.query(query).json() == json.loads(result)


@pytest.mark.parametrize("query", [LEADERBOARD, CURVES])
def test_printed_queries_have_results(server: RunningServer, query: str) -> None:
    """The two queries that the demo prints run unchanged and return runs."""
    assert query.splitlines()[1].strip() in "".join(server.printed)
    result = server.query(query).json()
    assert "errors" not in result
    assert result["data"]["experiment"]["runs"]["nodes"]
