"""The `Tracking` port over MLflow's own stores, on real stores of each kind."""

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
from tests.support.app.graphql_client import graphql_client
from tests.support.limits import LIMITS, store_limits
from tests.support.stores.store import Store

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
    """Yield the port over a store."""
    port = MlflowTracking(store.uri, store_limits(store_threads=4))
    yield port
    await port.close()


def create_runs(store: Store, experiment_id: str, count: int) -> list[str]:
    """Create runs r0, r1, ...; each starts later than the previous one and has a smaller loss."""
    ids = []
    for number in range(count):
        run = store.client.create_run(experiment_id, start_time=1000 + number, run_name=f"r{number}")
        store.client.log_metric(run.info.run_id, "loss", 1.0 / (number + 1), timestamp=5, step=number)
        store.client.log_param(run.info.run_id, "n", str(number))
        ids.append(run.info.run_id)
    return ids


def rows(many: Many, *columns: str) -> list[list[tuple[Any, ...]]]:
    """Return each parent's rows as tuples."""
    table = list(zip(*(many.rows[name] for name in columns), strict=True))
    return [table[start:stop] for start, stop in many.spans]


def values(one: One, column: str) -> list[Any]:
    """Return each parent's value of a column, or None."""
    leaves: Any = one.rows[column]
    return [None if row is None else leaves[row] for row in one.index]


def page(first: int = 100, after: Any = None, columns: frozenset[str] = NAMES) -> Page:
    """Return a page to request."""
    return Page(first, after, columns)


async def test_runs_have_the_requested_columns(store: Store, tracking: MlflowTracking) -> None:
    """Each column of a run has MLflow's value, with the port's names, capital letters and nulls."""
    run = store.client.create_run("0", start_time=1234, run_name="one", tags={"mlflow.user": "me"})
    result = await tracking.runs([("0",)], Search(), page(columns=LEAVES))
    row: dict[str, Any] = {name: result.rows[name][0] for name in result.rows.columns}
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


async def test_scopes_are_searched_once_each(store: Store, tracking: MlflowTracking) -> None:
    """Each scope gets its first runs, newest first, with one search per distinct scope."""
    a, b = (store.client.create_experiment(name) for name in "ab")
    create_runs(store, a, 3)
    create_runs(store, b, 1)
    result = await tracking.runs([(a,), (b,), (), (a,)], Search(), page(first=2))
    assert result.rows["name"] == ["r2", "r1", "r0"]
    assert list(result.spans) == [(0, 2), (2, 3), (3, 3), (0, 2)]
    assert list(result.has_next) == [True, False, False, True]
    assert tracking.calls == {"search_runs": 2}


async def test_scope_none_is_all_active_experiments(store: Store, tracking: MlflowTracking) -> None:
    """The scope None does not include runs of a deleted experiment."""
    a, b = (store.client.create_experiment(name) for name in "ab")
    create_runs(store, a, 1)
    create_runs(store, b, 2)
    store.client.delete_experiment(b)
    everything = Search(view=LifecycleView.ALL)
    result = await tracking.runs([None, (b,)], everything, page())
    assert list(result.spans) == [(0, 1), (1, 3)]
    assert await tracking.count_runs([None, (b,), ()], everything) == [1, 2, 0]


@pytest.mark.parametrize("first", [1, 2, 3])
async def test_page_resumes_after_any_row(store: Store, tracking: MlflowTracking, first: int) -> None:
    """The page after the position of a row starts with the next row."""
    create_runs(store, "0", 5)
    names = ["r4", "r3", "r2", "r1", "r0"]
    result = await tracking.runs([("0",)], Search(), page(first))
    for row in range(first):
        rest = await tracking.runs([("0",)], Search(), page(10, result.position(row)))
        assert rest.rows["name"] == names[row + 1 :]
        second = await tracking.runs([("0",)], Search(), page(1, result.position(row)))
        assert await _names_after(tracking, second.position(0)) == names[row + 2 :]


async def _names_after(tracking: MlflowTracking, position: Any) -> list[str]:
    names: list[str] = []
    more = True
    while more:
        result = await tracking.runs([("0",)], Search(), page(2, position))
        names.extend(result.rows["name"])
        more = result.has_next[0]
        position = result.position(result.rows.size - 1) if result.rows.size else None
    return names


async def test_page_of_zero_rows_reports_has_next(store: Store, tracking: MlflowTracking) -> None:
    """A page of zero rows reports whether there are rows."""
    assert list((await tracking.runs([("0",)], Search(), page(0))).has_next) == [False]
    create_runs(store, "0", 1)
    result = await tracking.runs([("0",)], Search(), page(0))
    assert (result.rows.size, list(result.has_next)) == (0, [True])


@pytest.mark.parametrize(
    "position",
    [[], [-1], [True], ["x"], [2**60], [None, -1], [None, 10**6], ["x" * 5000, 0], [1, 2, 3], ["!", 0]],
)
async def test_tampered_position_is_refused(store: Store, tracking: MlflowTracking, position: Any) -> None:
    """A position that the store did not return is BAD_USER_INPUT."""
    create_runs(store, "0", 1)
    with pytest.raises(BadUserInput):
        await tracking.runs([("0",)], Search(), page(1, position))


async def test_filter_and_order_are_passed_to_mlflow(store: Store, tracking: MlflowTracking) -> None:
    """Filters are MLflow's, and orders by attribute, metric or param are translated to MLflow's syntax."""
    create_runs(store, "0", 4)
    for key, names in {
        Order("metric", "loss"): ["r3", "r2", "r1"],
        Order("param", "n", descending=True): ["r3", "r2", "r1"],
        Order("attribute", "started_at"): ["r1", "r2", "r3"],
        Order("attribute", "name", descending=True): ["r3", "r2", "r1"],
    }.items():
        search = Search(filter="metrics.loss < 0.9", order=(key, key))
        result = await tracking.runs([("0",)], search, page())
        assert result.rows["name"] == names


async def test_invalid_filter_has_mlflows_message(store: Store, tracking: MlflowTracking) -> None:
    """The error of an invalid filter has MLflow's message, without a path or URL."""
    for text in ("metrics.loss <", "a OR b", "nothing.x = 'y'", "params.x = 'http://x/y' OR 1"):
        with pytest.raises(BadUserInput) as caught:
            await tracking.runs([("0",)], Search(filter=text), page())
        assert "://" not in str(caught.value)
        assert "INVALID_PARAMETER_VALUE" not in str(caught.value)
    with pytest.raises(BadUserInput):
        await tracking.runs([("0",)], Search(filter="params.x = '\x00'"), page())
    assert store.name


async def test_unsupported_order_is_named(tracking: MlflowTracking) -> None:
    """An order by an unsupported attribute is refused with the attribute's name."""
    with pytest.raises(BadUserInput, match="lifecycle_stage"):
        await tracking.runs([("0",)], Search(order=(Order("attribute", "lifecycle_stage"),)), page())


async def test_logged_values_are_columns_of_runs(store: Store, tracking: MlflowTracking) -> None:
    """Requested params, metrics and tags are columns of the runs, without further calls."""
    [run_id] = create_runs(store, "0", 1)
    store.client.set_tag(run_id, "note", "x")
    result = await tracking.runs([("0",)], Search(), page(columns=frozenset({"params", "metrics", "tags"})))
    assert rows(result.rows["params"], "key", "value") == [[("n", "0")]]
    assert rows(result.rows["metrics"], "run_id", "key", "value", "non_finite", "step", "timestamp") == [
        [(run_id, "loss", 1.0, None, 0, 5)]
    ]
    assert ("note", "x") in rows(result.rows["tags"], "key", "value")[0]
    assert result.rows.columns.keys() == {"params", "metrics", "tags"}


async def test_runs_are_looked_up_in_the_requested_order(store: Store, tracking: MlflowTracking) -> None:
    """Deleted runs are returned, unknown ones are None, and an id given twice returns the run twice."""
    deleted = store.client.create_experiment("deleted")
    a, b = create_runs(store, deleted, 2)
    store.client.delete_experiment(deleted)
    absent = "0" * 32
    result = await tracking.runs_by_id([b, absent, a, b], {"name", "lifecycle_stage"})
    assert values(result, "name") == ["r1", None, "r0", "r1"]
    assert values(result, "lifecycle_stage") == ["DELETED", None, "DELETED", "DELETED"]
    assert values(await tracking.runs_by_id([absent], {"name"}), "name") == [None]
    assert values(await tracking.runs_by_id([a], {"name"}), "name") == ["r0"]


async def test_many_runs_need_few_calls(server_store: Store) -> None:
    """Over an MLflow server, 300 runs need two searches and one list of experiments."""
    [run_id] = create_runs(server_store, "0", 1)
    port = MlflowTracking(server_store.uri, LIMITS.store)
    ids = [run_id, *(f"{number:032x}" for number in range(300))]
    result = await port.params(ids, None)
    await port.close()
    assert rows(result, "key", "value")[:2] == [[("n", "0")], []]
    assert port.calls == {"search_experiments": 1, "search_runs": 2}


@pytest.mark.parametrize("run_id", ["", "a b", "-a", "a'b", "a\n", "../x", "é", "x" * 300])
async def test_invalid_run_id_is_refused_without_a_call(tracking: MlflowTracking, run_id: str) -> None:
    """An id that no run can have is BAD_USER_INPUT, without a store call."""
    with pytest.raises(BadUserInput):
        await tracking.runs_by_id([run_id], {"name"})
    with pytest.raises(BadUserInput):
        await tracking.histories([(run_id, "loss")], None, None)
    assert not tracking.calls


async def test_params_tags_and_metrics_are_sorted_and_selected_by_key(
    store: Store, tracking: MlflowTracking
) -> None:
    """Params, tags and metrics of each run are sorted by key, all or those requested."""
    a, b = create_runs(store, "0", 2)
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


async def test_histories_are_sorted_and_limited_by_step(store: Store, tracking: MlflowTracking) -> None:
    """Points are sorted by step, timestamp and value; both ends of a range of steps are included."""
    [run_id] = create_runs(store, "0", 1)
    points = [(2, 9, 1.0), (-INT64, 3, 2.0), (2, 8, 3.0), (INT64, 1, 4.0), (2, 8, -3.0), (2, 8, math.nan)]
    store.client.log_batch(run_id, [Metric("m", value, time, step) for step, time, value in points])
    result = await tracking.histories(
        [(run_id, "m"), (run_id, "none"), ("0" * 32, "m"), (run_id, ""), (run_id, "../m"), (run_id, "m")],
        None,
        None,
    )
    history = [(-INT64, 3, 2.0), (2, 8, -3.0), (2, 8, 3.0), (2, 8, None), (2, 9, 1.0), (INT64, 1, 4.0)]
    assert rows(result, "step", "timestamp", "value") == [history, [], [], [], [], history]
    some = await tracking.histories([(run_id, "m")], 2, 2)
    assert rows(some, "step", "timestamp", "value") == [history[1:5]]
    assert tracking.calls["get_metric_history"] == 5


async def test_results_are_complete_across_pages(
    store: Store, tracking: MlflowTracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages, totals and histories are complete for small page sizes of the store."""
    monkeypatch.setattr(paging, "PAGE_SIZE", 2)
    monkeypatch.setattr(history_reader, "_POINTS_PER_PAGE", 2)
    run_ids = create_runs(store, "0", 5)
    for step in range(5):
        store.client.log_metric(run_ids[0], "m", step, step=step)
    result = await tracking.runs([("0",)], Search(), page(4))
    assert (result.rows["name"], list(result.has_next)) == (["r4", "r3", "r2", "r1"], [True])
    for row, rest in enumerate([["r3", "r2"], ["r2", "r1"], ["r1", "r0"], ["r0"]]):
        following = await tracking.runs([("0",)], Search(), page(2, result.position(row)))
        assert following.rows["name"] == rest
    assert await tracking.count_runs([("0",)], Search()) == [5]
    points = await tracking.histories([(run_ids[0], "m")], None, None)
    assert rows(points, "step") == [[(step,) for step in range(5)]]
    assert tracking.calls["get_metric_history"] == 3


async def test_non_finite_values_have_names(store: Store, tracking: MlflowTracking) -> None:
    """Infinities are restored, although databases store the largest float instead."""
    [run_id] = create_runs(store, "0", 1)
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


async def test_file_store_returns_the_largest_float(file_store: Store) -> None:
    """A file store stores infinities, so that the largest float is returned as a number."""
    [run_id] = create_runs(file_store, "0", 1)
    file_store.client.log_metric(run_id, "m", 1.7976931348623157e308)
    port = MlflowTracking(file_store.uri, LIMITS.store)
    assert rows(await port.metrics([run_id], {"m"}), "value") == [[(1.7976931348623157e308,)]]
    await port.close()


async def test_experiments_are_searched_by_mlflow(store: Store, tracking: MlflowTracking) -> None:
    """Experiments are filtered, ordered, paged and counted."""
    ids = [store.client.create_experiment(f"e{number}", tags={"k": "v"}) for number in range(3)]
    store.client.delete_experiment(ids[1])
    search = Search(filter="name LIKE 'e%'", order=(Order("attribute", "name", descending=True),))
    columns = frozenset({"experiment_id", "name", "lifecycle_stage", "tags"})
    result = await tracking.experiments(search, page(1, columns=columns))
    assert (result.rows["name"], list(result.has_next), list(result.spans)) == (["e2"], [True], [(0, 1)])
    assert rows(result.rows["tags"], "key", "value") == [[("k", "v")]]
    rest = await tracking.experiments(search, page(5, result.position(0), columns))
    assert (rest.rows["experiment_id"], list(rest.has_next)) == ([ids[0]], [False])
    assert await tracking.count_experiments(search) == 2
    assert await tracking.count_experiments(Search(view=LifecycleView.DELETED)) == 1
    with pytest.raises(BadUserInput, match="tag"):
        await tracking.experiments(Search(order=(Order("tag", "k"),)), page())


@pytest.mark.parametrize("count", [3, 25])
async def test_experiments_are_looked_up(store: Store, tracking: MlflowTracking, count: int) -> None:
    """Few experiments are looked up one by one, many in a list, deleted ones included."""
    ids = [store.client.create_experiment(f"e{number}", tags={"n": str(number)}) for number in range(count)]
    store.client.delete_experiment(ids[0])
    requested = [ids[1], "987654321", *ids, ids[1]]
    names = ["e1", None, *(f"e{number}" for number in range(count)), "e1"]
    result = await tracking.experiments_by_id(requested, {"name", "lifecycle_stage"})
    assert values(result, "name") == names
    assert values(result, "lifecycle_stage")[2] == "DELETED"
    tags = await tracking.experiment_tags(requested, {"n"})
    assert rows(tags, "value")[:3] == [[("1",)], [], [("0",)]]
    assert tracking.calls.total() == (2 * (count + 1) if count == 3 else 2)
    named = await tracking.experiments_by_name(["e0", "e", "", "E1", "o'e", "e1"], {"experiment_id"})
    assert values(named, "experiment_id") == [ids[0], None, None, None, None, ids[1]]


@pytest.mark.parametrize("experiment_id", ["", "a b", "../0", "x" * 70, "0\n"])
async def test_invalid_experiment_id_is_refused(tracking: MlflowTracking, experiment_id: str) -> None:
    """An id that no experiment can have is BAD_USER_INPUT."""
    with pytest.raises(BadUserInput):
        await tracking.experiments_by_id([experiment_id], {"name"})
    with pytest.raises(BadUserInput):
        await tracking.runs([(experiment_id,)], Search(), page())
    with pytest.raises(BadUserInput):
        await tracking.experiment_tags([experiment_id], None)


@pytest.mark.parametrize("experiment_id", ["abc", "007", "+1", "1_0", "٣", str(2**63)])
async def test_experiment_ids_of_a_database_are_numbers(sqlite_store: Store, experiment_id: str) -> None:
    """Experiment ids of a database are 64-bit integers in canonical form."""
    port = MlflowTracking(sqlite_store.uri, LIMITS.store)
    with pytest.raises(BadUserInput):
        await port.experiments_by_id([experiment_id], {"name"})
    await port.close()


async def test_count_is_unknown_above_the_scan_limit(store: Store) -> None:
    """Runs are counted up to the scan limit; above it the total is None."""
    create_runs(store, "0", 3)
    for limit, total in {2: None, 3: 3}.items():
        port = MlflowTracking(store.uri, store_limits(max_scanned_runs=limit))
        assert await port.count_runs([("0",)], Search()) == [total]
        await port.close()


async def test_reading_changes_nothing_in_a_database(sqlite_store: Store) -> None:
    """A missing Default experiment is not created."""
    with closing(sqlite3.connect(sqlite_store.uri.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("DELETE FROM experiments")
    port = MlflowTracking(sqlite_store.uri, LIMITS.store)
    assert await port.count_experiments(Search(view=LifecycleView.ALL)) == 0
    await port.close()


async def test_run_without_user_and_start_has_nulls(store: Store) -> None:
    """A run created without user and start time has neither on any store, and no duration."""
    created = store.client._tracking_client.store.create_run("0", "", 0, [], "bare")  # noqa: SLF001
    store.client.set_terminated(created.info.run_id, end_time=5)
    query = """{ runs { nodes { name userId startedAt endedAt durationSeconds } }
      none: runs(where: {startedAt: {isNull: true}, userId: {isNull: true}}) { totalCount }
      runGroups(groupBy: [{attribute: STARTED_AT}, {attribute: USER_ID}]) { key { value } } }"""
    async with graphql_client(store.uri) as graphql:
        result = await graphql.data(query)
    (run,) = result["runs"]["nodes"]
    assert (run["name"], run["userId"], run["startedAt"], run["durationSeconds"]) == (
        "bare",
        None,
        None,
        None,
    )
    assert run["endedAt"] == "1970-01-01T00:00:00.005Z"
    assert result["none"]["totalCount"] == 1
    assert result["runGroups"] == [{"key": [{"value": None}, {"value": None}]}]


@pytest.mark.parametrize(("runs_without_start", "calls"), [(0, 2), (1, 3)])
async def test_order_by_start_puts_unknown_starts_last(
    server_store: Store, runs_without_start: int, calls: int
) -> None:
    """A server orders by start time itself, unless runs without one exist, which it would put first."""
    ids = create_runs(server_store, "0", 3)
    for _ in range(runs_without_start):
        run = server_store.client._tracking_client.store.create_run("0", "", 0, [], "bare")  # noqa: SLF001
        ids.append(run.info.run_id)
    port = MlflowTracking(server_store.uri, LIMITS.store)
    run_ids: list[str] = []
    after = None
    for _ in range(2):
        search = Search(order=(Order("attribute", "started_at"),))
        pages = await port.runs([("0",)], search, Page(2, after, frozenset({"run_id"})))
        run_ids += pages.rows["run_id"]
        after = pages.position(pages.rows.size - 1)
    assert (run_ids, pages.has_next[0], port.calls["search_runs"]) == (ids, False, calls)
    await port.close()
