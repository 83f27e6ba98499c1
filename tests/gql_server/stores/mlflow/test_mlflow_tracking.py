"""The port over MLflow's own stores, on real ones of each kind."""

import math
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest
from mlflow.entities import Metric

from gql_server.stores import paging
from gql_server.stores.mlflow import history_reader
from gql_server.stores.mlflow.tracking import MlflowTracking
from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.table import Many, One
from schema.ports.tracking import Order, Page, Search
from tests.support.graphql_client import graphql_client
from tests.support.limits import LIMITS, store_limits
from tests.support.stores import Store

LEAVES = frozenset(
    {
        *("run_id", "name", "status", "lifecycle_stage", "user_id"),
        *("started_at", "ended_at", "artifact_uri", "experiment_id"),
    }
)
NAMES = frozenset({"name"})
INT64 = 2**63 - 1


@pytest.fixture
async def tracking(store: Store) -> AsyncIterator[MlflowTracking]:
    """Give the port over a store."""
    port = MlflowTracking(store.uri, store_limits(store_threads=4))
    yield port
    await port.close()


def runs_of(store: Store, experiment_id: str, count: int) -> list[str]:
    """Log runs named r0, r1, ...: each later than the one before, and with a smaller loss."""
    ids = []
    for number in range(count):
        run = store.client.create_run(experiment_id, start_time=1000 + number, run_name=f"r{number}")
        store.client.log_metric(run.info.run_id, "loss", 1.0 / (number + 1), timestamp=5, step=number)
        store.client.log_param(run.info.run_id, "n", str(number))
        ids.append(run.info.run_id)
    return ids


def rows(many: Many, *columns: str) -> list[list[tuple[Any, ...]]]:
    """Return what each parent has, a tuple a row."""
    table = list(zip(*(many.rows[name] for name in columns), strict=True))
    return [table[start:stop] for start, stop in many.spans]


def values(one: One, column: str) -> list[Any]:
    """Return what each parent's row has in a column, or None."""
    leaves: Any = one.rows[column]
    return [None if place is None else leaves[place] for place in one.index]


def page(first: int = 100, after: Any = None, columns: frozenset[str] = NAMES) -> Page:
    """Return a page to ask for."""
    return Page(first, after, columns)


async def test_runs_have_the_columns_asked_for(store: Store, tracking: MlflowTracking) -> None:
    """Each leaf of a run is what MLflow says, in the port's own names, capitals and nulls."""
    run = store.client.create_run("0", start_time=1234, run_name="one", tags={"mlflow.user": "me"})
    found = await tracking.runs([("0",)], Search(), page(columns=LEAVES))
    row: dict[str, Any] = {name: found.rows[name][0] for name in found.rows.columns}
    assert row == {
        "run_id": run.info.run_id,
        "name": "one",
        "status": "RUNNING",
        "lifecycle_stage": "ACTIVE",
        "user_id": "me",
        "started_at": 1234,
        "ended_at": None,
        "artifact_uri": run.info.artifact_uri,
        "experiment_id": "0",
    }


async def test_scopes_are_answered_side_by_side(store: Store, tracking: MlflowTracking) -> None:
    """Each scope gets its own first runs, newest first, by one search a scope."""
    a, b = (store.client.create_experiment(name) for name in "ab")
    runs_of(store, a, 3)
    runs_of(store, b, 1)
    found = await tracking.runs([(a,), (b,), (), (a,)], Search(), page(first=2))
    assert found.rows["name"] == ["r2", "r1", "r0"]
    assert list(found.spans) == [(0, 2), (2, 3), (3, 3), (0, 2)]
    assert list(found.has_next) == [True, False, False, True]
    assert tracking.calls == {"search_runs": 2}


async def test_no_scope_is_all_active_experiments(store: Store, tracking: MlflowTracking) -> None:
    """Runs of a deleted experiment are not among those of all."""
    a, b = (store.client.create_experiment(name) for name in "ab")
    runs_of(store, a, 1)
    runs_of(store, b, 2)
    store.client.delete_experiment(b)
    everything = Search(view=LifecycleView.ALL)
    found = await tracking.runs([None, (b,)], everything, page())
    assert list(found.spans) == [(0, 1), (1, 3)]
    assert await tracking.count_runs([None, (b,), ()], everything) == [1, 2, 0]


@pytest.mark.parametrize("first", [1, 2, 3])
async def test_every_place_can_be_resumed_from(store: Store, tracking: MlflowTracking, first: int) -> None:
    """The page behind any row of a page begins with the next row."""
    runs_of(store, "0", 5)
    names = ["r4", "r3", "r2", "r1", "r0"]
    found = await tracking.runs([("0",)], Search(), page(first))
    for row in range(first):
        rest = await tracking.runs([("0",)], Search(), page(10, found.position(row)))
        assert rest.rows["name"] == names[row + 1 :]
        second = await tracking.runs([("0",)], Search(), page(1, found.position(row)))
        assert await _all_from(tracking, second.position(0)) == names[row + 2 :]


async def _all_from(tracking: MlflowTracking, place: Any) -> list[str]:
    names: list[str] = []
    more = True
    while more:
        found = await tracking.runs([("0",)], Search(), page(2, place))
        names.extend(found.rows["name"])
        more = found.has_next[0]
        place = found.position(found.rows.size - 1) if found.rows.size else None
    return names


async def test_no_row_is_a_page_too(store: Store, tracking: MlflowTracking) -> None:
    """Where no row is asked for, the page still says whether there is one."""
    assert list((await tracking.runs([("0",)], Search(), page(0))).has_next) == [False]
    runs_of(store, "0", 1)
    found = await tracking.runs([("0",)], Search(), page(0))
    assert (found.rows.size, list(found.has_next)) == (0, [True])


@pytest.mark.parametrize(
    "place",
    [[], [-1], [True], ["x"], [2**60], [None, -1], [None, 10**6], ["x" * 5000, 0], [1, 2, 3], ["!", 0]],
)
async def test_a_changed_place_is_refused(store: Store, tracking: MlflowTracking, place: Any) -> None:
    """What a client made up in place of a cursor is its own mistake."""
    runs_of(store, "0", 1)
    with pytest.raises(BadUserInput):
        await tracking.runs([("0",)], Search(), page(1, place))


async def test_runs_are_ordered_and_filtered_by_mlflow(store: Store, tracking: MlflowTracking) -> None:
    """A filter is MLflow's own, and an order by attribute, metric or param is put into MLflow's words."""
    runs_of(store, "0", 4)
    for key, names in {
        Order("metric", "loss"): ["r3", "r2", "r1"],
        Order("param", "n", descending=True): ["r3", "r2", "r1"],
        Order("attribute", "started_at"): ["r1", "r2", "r3"],
        Order("attribute", "name", descending=True): ["r3", "r2", "r1"],
    }.items():
        search = Search(filter="metrics.loss < 0.9", order=(key, key))
        found = await tracking.runs([("0",)], search, page())
        assert found.rows["name"] == names


async def test_a_bad_filter_is_told_in_mlflows_words(store: Store, tracking: MlflowTracking) -> None:
    """The client reads what MLflow has against its filter, and no path or URL with it."""
    for text in ("metrics.loss <", "a OR b", "nothing.x = 'y'", "params.x = 'http://x/y' OR 1"):
        with pytest.raises(BadUserInput) as caught:
            await tracking.runs([("0",)], Search(filter=text), page())
        assert "://" not in str(caught.value)
        assert "INVALID_PARAMETER_VALUE" not in str(caught.value)
    with pytest.raises(BadUserInput):
        await tracking.runs([("0",)], Search(filter="params.x = '\x00'"), page())
    assert store.name


async def test_what_nothing_is_ordered_by_is_named(tracking: MlflowTracking) -> None:
    """An attribute that there is no order by is refused by its name."""
    with pytest.raises(BadUserInput, match="lifecycle_stage"):
        await tracking.runs([("0",)], Search(order=(Order("attribute", "lifecycle_stage"),)), page())


async def test_what_was_logged_comes_with_the_runs(store: Store, tracking: MlflowTracking) -> None:
    """Params, metrics and tags are columns of the runs where they are named, so nobody asks again."""
    [run_id] = runs_of(store, "0", 1)
    store.client.set_tag(run_id, "note", "x")
    found = await tracking.runs([("0",)], Search(), page(columns=frozenset({"params", "metrics", "tags"})))
    assert rows(found.rows["params"], "key", "value") == [[("n", "0")]]
    assert rows(found.rows["metrics"], "run_id", "key", "value", "non_finite", "step", "timestamp") == [
        [(run_id, "loss", 1.0, None, 0, 5)]
    ]
    assert ("note", "x") in rows(found.rows["tags"], "key", "value")[0]
    assert found.rows.columns.keys() == {"params", "metrics", "tags"}


async def test_runs_are_looked_up_in_the_order_asked(store: Store, tracking: MlflowTracking) -> None:
    """Deleted runs are found, unknown ones are None, and one asked for twice is there twice."""
    deleted = store.client.create_experiment("deleted")
    a, b = runs_of(store, deleted, 2)
    store.client.delete_experiment(deleted)
    absent = "0" * 32
    found = await tracking.runs_by_id([b, absent, a, b], {"name", "lifecycle_stage"})
    assert values(found, "name") == ["r1", None, "r0", "r1"]
    assert values(found, "lifecycle_stage") == ["DELETED", None, "DELETED", "DELETED"]
    assert values(await tracking.runs_by_id([absent], {"name"}), "name") == [None]
    assert values(await tracking.runs_by_id([a], {"name"}), "name") == ["r0"]


async def test_many_runs_cost_few_calls(server_store: Store) -> None:
    """Over an MLflow server, 300 runs are two searches and one list of experiments."""
    [run_id] = runs_of(server_store, "0", 1)
    port = MlflowTracking(server_store.uri, LIMITS.store)
    asked = [run_id, *(f"{number:032x}" for number in range(300))]
    found = await port.params(asked, None)
    await port.close()
    assert rows(found, "key", "value")[:2] == [[("n", "0")], []]
    assert port.calls == {"search_experiments": 1, "search_runs": 2}


@pytest.mark.parametrize("run_id", ["", "a b", "-a", "a'b", "a\n", "../x", "é", "x" * 300])
async def test_no_run_has_such_an_id(tracking: MlflowTracking, run_id: str) -> None:
    """An id that no run can have is the client's mistake, and no store is asked."""
    with pytest.raises(BadUserInput):
        await tracking.runs_by_id([run_id], {"name"})
    with pytest.raises(BadUserInput):
        await tracking.histories([(run_id, "loss")], None, None)
    assert not tracking.calls


async def test_pairs_are_sorted_and_chosen_by_key(store: Store, tracking: MlflowTracking) -> None:
    """Params, tags and metrics come by key, all or those asked for, for each run asked for."""
    a, b = runs_of(store, "0", 2)
    for key in ("y", "Z", "é", "a b/c.d"):
        store.client.log_param(a, key, key)
        store.client.set_tag(a, key, "")
        store.client.log_metric(a, key, math.nan, timestamp=1, step=-3)
    assert rows(await tracking.params([b, a, "0" * 32, b], None), "key") == [
        [("n",)],
        [("Z",), ("a b/c.d",), ("n",), ("y",), ("é",)],
        [],
        [("n",)],
    ]
    assert rows(await tracking.tags([a], {"y", "z", "é", "no"}), "key", "value") == [[("y", ""), ("é", "")]]
    assert rows(await tracking.metrics([a, b], {"Z"}), "run_id", "key", "value", "non_finite", "step") == [
        [(a, "Z", None, "NAN", -3)],
        [],
    ]


async def test_histories_are_sorted_and_bounded_by_step(store: Store, tracking: MlflowTracking) -> None:
    """Points come by step, timestamp and value; the ends of the steps are among them."""
    [run_id] = runs_of(store, "0", 1)
    points = [(2, 9, 1.0), (-INT64, 3, 2.0), (2, 8, 3.0), (INT64, 1, 4.0), (2, 8, -3.0), (2, 8, math.nan)]
    store.client.log_batch(run_id, [Metric("m", value, time, step) for step, time, value in points])
    found = await tracking.histories(
        [(run_id, "m"), (run_id, "none"), ("0" * 32, "m"), (run_id, ""), (run_id, "../m"), (run_id, "m")],
        None,
        None,
    )
    history = [(-INT64, 3, 2.0), (2, 8, -3.0), (2, 8, 3.0), (2, 8, None), (2, 9, 1.0), (INT64, 1, 4.0)]
    assert rows(found, "step", "timestamp", "value") == [history, [], [], [], [], history]
    some = await tracking.histories([(run_id, "m")], 2, 2)
    assert rows(some, "step", "timestamp", "value") == [history[1:5]]
    assert tracking.calls["get_metric_history"] == 5


async def test_what_does_not_fit_one_answer_is_read_in_several(
    store: Store, tracking: MlflowTracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages, totals and histories are whole, however little of them MLflow is asked for at once."""
    monkeypatch.setattr(paging, "PAGE_SIZE", 2)
    monkeypatch.setattr(history_reader, "_POINTS_PER_PAGE", 2)
    run_ids = runs_of(store, "0", 5)
    for step in range(5):
        store.client.log_metric(run_ids[0], "m", step, step=step)
    found = await tracking.runs([("0",)], Search(), page(4))
    assert (found.rows["name"], list(found.has_next)) == (["r4", "r3", "r2", "r1"], [True])
    for row, rest in enumerate([["r3", "r2"], ["r2", "r1"], ["r1", "r0"], ["r0"]]):
        following = await tracking.runs([("0",)], Search(), page(2, found.position(row)))
        assert following.rows["name"] == rest
    assert await tracking.count_runs([("0",)], Search()) == [5]
    points = await tracking.histories([(run_ids[0], "m")], None, None)
    assert rows(points, "step") == [[(step,) for step in range(5)]]
    assert tracking.calls["get_metric_history"] == 3


async def test_what_is_not_finite_has_a_name(store: Store, tracking: MlflowTracking) -> None:
    """An infinity is one again, although databases keep the largest float in its place."""
    [run_id] = runs_of(store, "0", 1)
    logged = [math.inf, -math.inf, math.nan, 1e308, -0.0]
    store.client.log_batch(run_id, [Metric("m", value, 0, step) for step, value in enumerate(logged)])
    for step, value in enumerate(logged):
        store.client.log_metric(run_id, f"m{step}", value)
    names = [
        (None, "POSITIVE_INFINITY"),
        (None, "NEGATIVE_INFINITY"),
        (None, "NAN"),
        (1e308, None),
        (0.0, None),
    ]
    assert rows(await tracking.histories([(run_id, "m")], None, None), "value", "non_finite") == [names]
    last = await tracking.metrics([run_id], {f"m{step}" for step in range(5)})
    assert rows(last, "value", "non_finite") == [names]


async def test_the_largest_float_is_itself_in_files(file_store: Store) -> None:
    """A file store keeps infinities, so that the largest float is no sign of one there."""
    [run_id] = runs_of(file_store, "0", 1)
    file_store.client.log_metric(run_id, "m", 1.7976931348623157e308)
    port = MlflowTracking(file_store.uri, LIMITS.store)
    assert rows(await port.metrics([run_id], {"m"}), "value") == [[(1.7976931348623157e308,)]]
    await port.close()


async def test_experiments_are_searched(store: Store, tracking: MlflowTracking) -> None:
    """Experiments are filtered, ordered, paged and counted by MLflow."""
    ids = [store.client.create_experiment(f"e{number}", tags={"k": "v"}) for number in range(3)]
    store.client.delete_experiment(ids[1])
    search = Search(filter="name LIKE 'e%'", order=(Order("attribute", "name", descending=True),))
    columns = frozenset({"experiment_id", "name", "lifecycle_stage", "tags"})
    found = await tracking.experiments(search, page(1, columns=columns))
    assert (found.rows["name"], list(found.has_next), list(found.spans)) == (["e2"], [True], [(0, 1)])
    assert rows(found.rows["tags"], "key", "value") == [[("k", "v")]]
    rest = await tracking.experiments(search, page(5, found.position(0), columns))
    assert (rest.rows["experiment_id"], list(rest.has_next)) == ([ids[0]], [False])
    assert await tracking.count_experiments(search) == 2
    assert await tracking.count_experiments(Search(view=LifecycleView.DELETED)) == 1
    with pytest.raises(BadUserInput, match="tag"):
        await tracking.experiments(Search(order=(Order("tag", "k"),)), page())


@pytest.mark.parametrize("count", [3, 25])
async def test_experiments_are_looked_up(store: Store, tracking: MlflowTracking, count: int) -> None:
    """Few are got one by one and many listed, with the same answer; deleted ones are found."""
    ids = [store.client.create_experiment(f"e{number}", tags={"n": str(number)}) for number in range(count)]
    store.client.delete_experiment(ids[0])
    asked = [ids[1], "987654321", *ids, ids[1]]
    names = ["e1", None, *(f"e{number}" for number in range(count)), "e1"]
    found = await tracking.experiments_by_id(asked, {"name", "lifecycle_stage"})
    assert values(found, "name") == names
    assert values(found, "lifecycle_stage")[2] == "DELETED"
    tags = await tracking.experiment_tags(asked, {"n"})
    assert rows(tags, "value")[:3] == [[("1",)], [], [("0",)]]
    assert tracking.calls.total() == (2 * (count + 1) if count == 3 else 2)
    named = await tracking.experiments_by_name(["e0", "e", "", "E1", "o'e", "e1"], {"experiment_id"})
    assert values(named, "experiment_id") == [ids[0], None, None, None, None, ids[1]]


@pytest.mark.parametrize("experiment_id", ["", "a b", "../0", "x" * 70, "0\n"])
async def test_no_experiment_has_such_an_id(tracking: MlflowTracking, experiment_id: str) -> None:
    """An id that no experiment can have is the client's mistake."""
    with pytest.raises(BadUserInput):
        await tracking.experiments_by_id([experiment_id], {"name"})
    with pytest.raises(BadUserInput):
        await tracking.runs([(experiment_id,)], Search(), page())
    with pytest.raises(BadUserInput):
        await tracking.experiment_tags([experiment_id], None)


@pytest.mark.parametrize("experiment_id", ["abc", "007", "+1", "1_0", "٣", str(2**63)])
async def test_a_databases_ids_are_numbers(sqlite_store: Store, experiment_id: str) -> None:
    """A database has 64-bit numbers for ids, written in one way."""
    port = MlflowTracking(sqlite_store.uri, LIMITS.store)
    with pytest.raises(BadUserInput):
        await port.experiments_by_id([experiment_id], {"name"})
    await port.close()


async def test_counting_ends_at_the_bound(store: Store) -> None:
    """Up to the bound runs are counted, and one more makes the total unknown."""
    runs_of(store, "0", 3)
    for bound, total in {2: None, 3: 3}.items():
        port = MlflowTracking(store.uri, store_limits(max_scanned_runs=bound))
        assert await port.count_runs([("0",)], Search()) == [total]
        await port.close()


async def test_reading_leaves_a_database_as_it_is(sqlite_store: Store) -> None:
    """Not even the Default experiment is made where it is missing."""
    with closing(sqlite3.connect(sqlite_store.uri.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("DELETE FROM experiments")
    port = MlflowTracking(sqlite_store.uri, LIMITS.store)
    assert await port.count_experiments(Search(view=LifecycleView.ALL)) == 0
    await port.close()


async def test_what_a_client_of_the_rest_api_may_leave_out(store: Store) -> None:
    """A run that was made without user and start has neither on any store, and no duration."""
    made = store.client._tracking_client.store.create_run("0", "", 0, [], "bare")  # noqa: SLF001
    store.client.set_terminated(made.info.run_id, end_time=5)
    query = """{ runs { nodes { name userId startedAt endedAt durationSeconds } }
      none: runs(where: {startedAt: {isNull: true}, userId: {isNull: true}}) { totalCount }
      runGroups(groupBy: [{attribute: STARTED_AT}, {attribute: USER_ID}]) { key { value } } }"""
    async with graphql_client(store.uri) as ask:
        found = await ask.data(query)
    (run,) = found["runs"]["nodes"]
    assert (run["name"], run["userId"], run["startedAt"], run["durationSeconds"]) == (
        "bare",
        None,
        None,
        None,
    )
    assert run["endedAt"] == "1970-01-01T00:00:00.005Z"
    assert found["none"]["totalCount"] == 1
    assert found["runGroups"] == [{"key": [{"value": None}, {"value": None}]}]


@pytest.mark.parametrize(("bare", "calls"), [(0, 2), (1, 3)])
async def test_the_oldest_first(server_store: Store, bare: int, calls: int) -> None:
    """A server orders by start itself, unless it has runs without one: it would put them first."""
    ids = runs_of(server_store, "0", 3)
    for _ in range(bare):
        run = server_store.client._tracking_client.store.create_run("0", "", 0, [], "bare")  # noqa: SLF001
        ids.append(run.info.run_id)
    port = MlflowTracking(server_store.uri, LIMITS.store)
    walked: list[str] = []
    after = None
    for _ in range(2):
        search = Search(order=(Order("attribute", "started_at"),))
        pages = await port.runs([("0",)], search, Page(2, after, frozenset({"run_id"})))
        walked += pages.rows["run_id"]
        after = pages.position(pages.rows.size - 1)
    assert (walked, pages.has_next[0], port.calls["search_runs"]) == (ids, False, calls)
    await port.close()
