"""README's promises, kept by running them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gql_server.demo.welcome import CURVES, LEADERBOARD
from tests.support.demo_store import Demo
from tests.support.server_process import RunningServer, running_server

README = (Path(__file__).parent.parent / "README.md").read_text()


@pytest.fixture(scope="module")
def server(demo: Demo) -> Iterator[RunningServer]:
    """Serve the demo's store as `make demo` does."""
    with running_server("--directory", str(demo.directory), command="demo") as server:
        yield server


def test_the_query_has_the_answer_that_is_shown(server: RunningServer) -> None:
    """README's query, pasted, gives README's answer."""
    (query,) = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)
    (answer,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert server.query(query).json() == json.loads(answer)


@pytest.mark.parametrize("query", [LEADERBOARD, CURVES])
def test_the_queries_to_try_have_answers(server: RunningServer, query: str) -> None:
    """The two queries that the demo prints run as they are, and find something."""
    assert query.splitlines()[1].strip() in "".join(server.printed)
    answer = server.query(query).json()
    assert "errors" not in answer
    assert answer["data"]["experiment"]["runs"]["nodes"]
