"""The operations of the tour over stores of every kind, without a browser."""

from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, parse

from tests.support.app.graphql_client import graphql_client
from tests.support.stores.store import Store

TOUR = sorted((Path(__file__).parents[3] / "frontend" / "src" / "tour").glob("*.graphql"))
# The variables that the page uses for a store without runs; see frontend/src.
NOTHING = {
    "experimentId": "0",
    "experimentName": "Default",
    "runId": "0" * 32,
    "runIds": [],
    "metric": "loss",
    "param": "lr",
}


@pytest.mark.parametrize("file", TOUR, ids=lambda file: file.stem)
def test_operation_has_a_name_and_a_purpose(file: Path) -> None:
    """Each operation has a name, which its tab shows, and begins with a comment on its purpose."""
    text = file.read_text(encoding="utf-8")
    (operation,) = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.name
    assert text.startswith("# ")


async def test_tour_runs_over_an_empty_store(store: Store) -> None:
    """No operation fails on an empty store, of any kind."""
    async with graphql_client(store.uri) as client:
        for file in TOUR:
            await client.data(file.read_text(encoding="utf-8"), **NOTHING)
