"""The tour's operations over stores of every kind, by themselves."""

from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, parse

from tests.support.graphql_client import graphql_client
from tests.support.stores import Store

TOUR = sorted((Path(__file__).parents[3] / "frontend" / "src" / "tour").glob("*.graphql"))
# What the page gives the operations where a store has no run; see frontend/src/facts.ts.
NOTHING = {
    "experimentId": "0",
    "experimentName": "Default",
    "runId": "0" * 32,
    "runIds": [],
    "metric": "loss",
    "param": "lr",
}


@pytest.mark.parametrize("file", TOUR, ids=lambda file: file.stem)
def test_operation_can_be_called(file: Path) -> None:
    """Each operation has a name, which its tab shows, and begins with what it is for."""
    text = file.read_text(encoding="utf-8")
    (operation,) = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.name
    assert text.startswith("# ")


async def test_tour_runs_over_an_empty_store(store: Store) -> None:
    """No operation fails over a store that has nothing to show yet, of whatever kind."""
    async with graphql_client(store.uri) as client:
        for file in TOUR:
            await client.data(file.read_text(encoding="utf-8"), **NOTHING)
