"""Experiments over MLflow's own stores, on real stores of each kind."""

import pytest

from gql_server.stores.mlflow.tracking import MlflowTracking
from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.tracking import Order, Search
from tests.support.limits import LIMITS
from tests.support.schema.port_results import row_by_parent, tuples_by_parent
from tests.support.stores.numbered_runs import page_of_names
from tests.support.stores.store import Store


async def test_experiments_are_searched_by_mlflow(store: Store, tracking: MlflowTracking) -> None:
    """Experiments are filtered, ordered, paged and counted."""
    ids = [store.client.create_experiment(f"e{number}", tags={"k": "v"}) for number in range(3)]
    store.client.delete_experiment(ids[1])
    search = Search(filter="name LIKE 'e%'", order=(Order("attribute", "name", descending=True),))
    columns = frozenset({"experiment_id", "name", "lifecycle_stage", "tags"})
    result = await tracking.experiments(search, page_of_names(1, columns=columns))
    assert (result.rows["name"], list(result.has_next), list(result.spans)) == (["e2"], [True], [(0, 1)])
    assert tuples_by_parent(result.rows["tags"], "key", "value") == [[("k", "v")]]
    rest = await tracking.experiments(search, page_of_names(5, result.position(0), columns))
    assert (rest.rows["experiment_id"], list(rest.has_next)) == ([ids[0]], [False])
    assert await tracking.count_experiments(search) == 2
    assert await tracking.count_experiments(Search(view=LifecycleView.DELETED)) == 1
    with pytest.raises(BadUserInput, match="tag"):
        await tracking.experiments(Search(order=(Order("tag", "k"),)), page_of_names())


@pytest.mark.parametrize("count", [3, 25])
async def test_experiments_are_looked_up(store: Store, tracking: MlflowTracking, count: int) -> None:
    """Few experiments are looked up one by one, many in a list, deleted ones included."""
    ids = [store.client.create_experiment(f"e{number}", tags={"n": str(number)}) for number in range(count)]
    store.client.delete_experiment(ids[0])
    requested = [ids[1], "987654321", *ids, ids[1]]
    names = ["e1", None, *(f"e{number}" for number in range(count)), "e1"]
    result = await tracking.experiments_by_id(requested, {"name", "lifecycle_stage"})
    assert row_by_parent(result, "name") == names
    assert row_by_parent(result, "lifecycle_stage")[2] == "DELETED"
    tags = await tracking.experiment_tags(requested, {"n"})
    assert tuples_by_parent(tags, "value")[:3] == [[("1",)], [], [("0",)]]
    assert tracking.calls.total() == (2 * (count + 1) if count == 3 else 2)
    named = await tracking.experiments_by_name(["e0", "e", "", "E1", "o'e", "e1"], {"experiment_id"})
    assert row_by_parent(named, "experiment_id") == [ids[0], None, None, None, None, ids[1]]


@pytest.mark.parametrize("experiment_id", ["", "a b", "../0", "x" * 70, "0\n"])
async def test_invalid_experiment_id_is_refused(tracking: MlflowTracking, experiment_id: str) -> None:
    """An id that no experiment can have is BAD_USER_INPUT."""
    with pytest.raises(BadUserInput):
        await tracking.experiments_by_id([experiment_id], {"name"})
    with pytest.raises(BadUserInput):
        await tracking.runs([(experiment_id,)], Search(), page_of_names())
    with pytest.raises(BadUserInput):
        await tracking.experiment_tags([experiment_id], None)


@pytest.mark.parametrize("experiment_id", ["abc", "007", "+1", "1_0", "٣", str(2**63)])
async def test_experiment_ids_of_a_database_are_numbers(sqlite_store: Store, experiment_id: str) -> None:
    """Experiment ids of a database are 64-bit integers in canonical form."""
    port = MlflowTracking(sqlite_store.uri, LIMITS.store)
    with pytest.raises(BadUserInput):
        await port.experiments_by_id([experiment_id], {"name"})
    await port.close()
