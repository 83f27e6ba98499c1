"""Positions that are keys, and the clauses that continue after them."""

import pytest

from gql_server.stores.mlflow.tracking import MlflowTracking
from gql_server.stores.pushdown.capabilities import Capabilities, capabilities_of
from gql_server.stores.pushdown.keyset import Keyset, key_of
from gql_server.stores.pushdown.sort import run_sort_order
from schema.ports.errors import BadUserInput
from schema.ports.store_kind import StoreKind
from schema.ports.table import Table
from schema.ports.tracking import Order, Page, Position, Search
from tests.support.limits import LIMITS
from tests.support.stores.store import Store

SERVER = capabilities_of(StoreKind.MLFLOW_SERVER)


def _keyset(*order: Order, capabilities: Capabilities = SERVER) -> Keyset:
    return Keyset(run_sort_order(order), capabilities, lambda rows, _: Table(len(rows), {}))


@pytest.mark.parametrize(
    ("order", "value", "clause"),
    [
        ((), [0, 5], "attributes.start_time <= 5"),
        ((), [3, None], "attributes.start_time <= 0"),
        ((Order("attribute", "started_at"),), [0, 5], "attributes.start_time >= 5"),
        ((Order("attribute", "started_at", descending=True),), [0, -5], "attributes.start_time <= -5"),
    ],
)
def test_clause_compares_the_first_key(order: tuple[Order, ...], value: list[int], clause: str) -> None:
    """The clause includes the rows with the same first key, and an unknown start is 0."""
    keyset = _keyset(*order)
    assert keyset.is_possible
    assert keyset.clause(["key", value, "id"]) == clause
    assert keyset.clause(None) is None
    assert keyset.clause(["token", 3]) is None
    assert keyset.clause([value, "id"]) is None


@pytest.mark.parametrize("order", [Order("attribute", "ended_at"), Order("metric", "m"), Order("param", "p")])
def test_order_by_a_key_that_may_be_missing_has_no_clause(order: Order) -> None:
    """A clause on such a key would leave out the rows without it, which come last."""
    assert not _keyset(order, Order("attribute", "started_at")).is_possible
    assert not _keyset(capabilities=Capabilities()).is_possible


@pytest.mark.parametrize("after", [None, [], ["key"], ["key", 3], ["token", "x"], [[0, 1], "x"], [3]])
def test_other_positions_have_no_key(after: Position | None) -> None:
    """Positions of stores and of sorted rows are not taken for keys."""
    assert key_of(after) is None


async def test_forged_key_is_refused(server_store: Store) -> None:
    """A key that no run can have raises `BadUserInput`."""
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
    ]
    for after in forged:
        with pytest.raises(BadUserInput):
            await port.runs([("0",)], Search(), Page(5, after, frozenset({"run_id"})))
    await port.close()
