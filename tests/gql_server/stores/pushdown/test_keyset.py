"""Positions that have the key of a row, and the clauses that continue after it."""

import pytest

from gql_server.stores.mlflow.tracking import MlflowTracking
from gql_server.stores.pushdown.keyset import Keyset
from gql_server.stores.pushdown.row_position import RowPosition, row_position
from gql_server.stores.pushdown.sort import run_sort_order
from schema.ports.errors import BadUserInput
from schema.ports.tracking import Order, Page, Position, Search
from tests.support.limits import LIMITS
from tests.support.stores.store import Store

STARTED = Order("attribute", "started_at", descending=True)


@pytest.mark.parametrize(
    ("order", "value", "clause"),
    [
        ((), [0, 5], "lte 5"),
        ((), [3, None], "lte 0"),
        ((Order("attribute", "started_at"),), [0, 5], "gte 5"),
        ((STARTED,), [0, -5], "lte -5"),
    ],
)
def test_clause_compares_the_first_key(order: tuple[Order, ...], value: list[int], clause: str) -> None:
    """The clause includes the rows with the same first key, and an unknown start is 0."""
    keyset = Keyset(run_sort_order(order), lambda operator, number: f"{operator} {number}")
    assert keyset.clause(RowPosition([value, "id"])) == clause
    assert keyset.clause(None) is None
    assert keyset.clause(RowPosition([value, "id"], ["token", 3])) is None


@pytest.mark.parametrize("position", [RowPosition([[0, 1], "x"]), RowPosition([[0, 1], "x"], [None, 3])])
def test_position_has_a_key(position: RowPosition) -> None:
    """A position is read as it was written."""
    assert row_position(position.position) == position


@pytest.mark.parametrize(
    "after",
    [None, [], ["key"], ["key", 3], ["row", 3, "x"], ["row", [3]], ["token", "x"], [[0, 1], "x"], [3]],
)
def test_other_positions_have_no_key(after: Position | None) -> None:
    """Positions of stores and of sorted rows are not taken for positions with a mark."""
    assert row_position(after) is None


async def test_forged_position_is_refused(server_store: Store) -> None:
    """A key that no run can have, and a position that no store has, raise `BadUserInput`."""
    port = MlflowTracking(server_store.uri, LIMITS.store)
    forged: list[Position] = [
        ["key", [1, "x"], "a"],
        ["key", [0, 1.5], "a"],
        ["key", [0, 1e300], "a"],
        ["key", [0, 2**63], "a"],
        ["key", [0, True], "a"],
        ["key", [9, 1], "a"],
        ["key", "a"],
        ["key", [0, 1], [0, 1], "a"],
        ["key", {"x": 1}, "a"],
        ["row", [None, 1], "a"],
        ["row", [None, -1], [0, 1], "a"],
        ["row", [None, True], [0, 1], "a"],
        ["row", [], [0, 1], "a"],
        ["row", ["x" * 5000, 1], [0, 1], "a"],
        ["row", 3, [0, 1], "a"],
    ]
    for after in forged:
        with pytest.raises(BadUserInput):
            await port.runs([("0",)], Search(), Page(5, after, frozenset({"run_id"})))
    await port.close()
