"""The `Tracking` port over MLflow's own stores, on real stores of each kind."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from gql_server.stores import paging
from gql_server.stores.mlflow import history_reader
from gql_server.stores.mlflow.tracking import MlflowTracking
from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.tracking import Order, Page, Search
from tests.support.app.graphql_client import graphql_client
from tests.support.limits import LIMITS, store_limits
from tests.support.schema.port_results import row_by_parent, tuples_by_parent
from tests.support.stores.numbered_runs import create_runs, page_of_names
from tests.support.stores.store import Store

LEAVES = frozenset(
    {
        *("run_id", "name", "status", "lifecycle_stage", "user_id"),
        *("started_at", "ended_at", "artifact_uri", "experiment_id"),
    }
)
INT64 = 2**63 - 1


async def test_runs_have_the_requested_columns(store: Store, tracking: MlflowTracking) -> None:
    """Each column of a run has MLflow's value, with the port's names, capital letters and nulls."""
    run = store.client.create_run("0", start_time=1234, run_name="one", tags={"mlflow.user": "me"})
    result = await tracking.runs([("0",)], Search(), page_of_names(columns=LEAVES))
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
    result = await tracking.runs([(a,), (b,), (), (a,)], Search(), page_of_names(first=2))
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
    result = await tracking.runs([None, (b,)], everything, page_of_names())
    assert list(result.spans) == [(0, 1), (1, 3)]
    assert await tracking.count_runs([None, (b,), ()], everything) == [1, 2, 0]


@pytest.mark.parametrize("first", [1, 2, 3])
async def test_page_resumes_after_any_row(store: Store, tracking: MlflowTracking, first: int) -> None:
    """The page after the position of a row starts with the next row."""
    create_runs(store, "0", 5)
    names = ["r4", "r3", "r2", "r1", "r0"]
    result = await tracking.runs([("0",)], Search(), page_of_names(first))
    for row in range(first):
        rest = await tracking.runs([("0",)], Search(), page_of_names(10, result.position(row)))
        assert rest.rows["name"] == names[row + 1 :]
        second = await tracking.runs([("0",)], Search(), page_of_names(1, result.position(row)))
        assert await _names_after(tracking, second.position(0)) == names[row + 2 :]


async def _names_after(tracking: MlflowTracking, position: Any) -> list[str]:
    names: list[str] = []
    more = True
    while more:
        result = await tracking.runs([("0",)], Search(), page_of_names(2, position))
        names.extend(result.rows["name"])
        more = result.has_next[0]
        position = result.position(result.rows.size - 1) if result.rows.size else None
    return names


async def test_page_of_zero_rows_reports_has_next(store: Store, tracking: MlflowTracking) -> None:
    """A page of zero rows reports whether there are rows."""
    assert list((await tracking.runs([("0",)], Search(), page_of_names(0))).has_next) == [False]
    create_runs(store, "0", 1)
    result = await tracking.runs([("0",)], Search(), page_of_names(0))
    assert (result.rows.size, list(result.has_next)) == (0, [True])


@pytest.mark.parametrize(
    "position",
    [[], [-1], [True], ["x"], [2**60], [None, -1], [None, 10**6], ["x" * 5000, 0], [1, 2, 3], ["!", 0]],
)
async def test_tampered_position_is_refused(store: Store, tracking: MlflowTracking, position: Any) -> None:
    """A position that the store did not return is BAD_USER_INPUT."""
    create_runs(store, "0", 1)
    with pytest.raises(BadUserInput):
        await tracking.runs([("0",)], Search(), page_of_names(1, position))


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
        result = await tracking.runs([("0",)], search, page_of_names())
        assert result.rows["name"] == names


async def test_invalid_filter_has_mlflows_message(store: Store, tracking: MlflowTracking) -> None:
    """The error of an invalid filter has MLflow's message, without a path or URL."""
    for text in ("metrics.loss <", "a OR b", "nothing.x = 'y'", "params.x = 'http://x/y' OR 1"):
        with pytest.raises(BadUserInput) as caught:
            await tracking.runs([("0",)], Search(filter=text), page_of_names())
        assert "://" not in str(caught.value)
        assert "INVALID_PARAMETER_VALUE" not in str(caught.value)
    with pytest.raises(BadUserInput):
        await tracking.runs([("0",)], Search(filter="params.x = '\x00'"), page_of_names())
    assert store.name


async def test_unsupported_order_is_named(tracking: MlflowTracking) -> None:
    """An order by an unsupported attribute is refused with the attribute's name."""
    with pytest.raises(BadUserInput, match="lifecycle_stage"):
        await tracking.runs([("0",)], Search(order=(Order("attribute", "lifecycle_stage"),)), page_of_names())


async def test_runs_are_looked_up_in_the_requested_order(store: Store, tracking: MlflowTracking) -> None:
    """Deleted runs are returned, unknown ones are None, and an id given twice returns the run twice."""
    deleted = store.client.create_experiment("deleted")
    a, b = create_runs(store, deleted, 2)
    store.client.delete_experiment(deleted)
    absent = "0" * 32
    result = await tracking.runs_by_id([b, absent, a, b], {"name", "lifecycle_stage"})
    assert row_by_parent(result, "name") == ["r1", None, "r0", "r1"]
    assert row_by_parent(result, "lifecycle_stage") == ["DELETED", None, "DELETED", "DELETED"]
    assert row_by_parent(await tracking.runs_by_id([absent], {"name"}), "name") == [None]
    assert row_by_parent(await tracking.runs_by_id([a], {"name"}), "name") == ["r0"]


async def test_many_runs_need_few_calls(server_store: Store) -> None:
    """Over an MLflow server, 300 runs need two searches and one list of experiments."""
    [run_id] = create_runs(server_store, "0", 1)
    port = MlflowTracking(server_store.uri, LIMITS.store)
    ids = [run_id, *(f"{number:032x}" for number in range(300))]
    result = await port.params(ids, None)
    await port.close()
    assert tuples_by_parent(result, "key", "value")[:2] == [[("n", "0")], []]
    assert port.calls == {"search_experiments": 1, "search_runs": 2}


@pytest.mark.parametrize("run_id", ["", "a b", "-a", "a'b", "a\n", "../x", "é", "x" * 300])
async def test_invalid_run_id_is_refused_without_a_call(tracking: MlflowTracking, run_id: str) -> None:
    """An id that no run can have is BAD_USER_INPUT, without a store call."""
    with pytest.raises(BadUserInput):
        await tracking.runs_by_id([run_id], {"name"})
    with pytest.raises(BadUserInput):
        await tracking.histories([(run_id, "loss")], None, None)
    assert not tracking.calls


async def test_results_are_complete_across_pages(
    store: Store, tracking: MlflowTracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages, totals and histories are complete for small page sizes of the store."""
    monkeypatch.setattr(paging, "PAGE_SIZE", 2)
    monkeypatch.setattr(history_reader, "_POINTS_PER_PAGE", 2)
    run_ids = create_runs(store, "0", 5)
    for step in range(5):
        store.client.log_metric(run_ids[0], "m", step, step=step)
    result = await tracking.runs([("0",)], Search(), page_of_names(4))
    assert (result.rows["name"], list(result.has_next)) == (["r4", "r3", "r2", "r1"], [True])
    for row, rest in enumerate([["r3", "r2"], ["r2", "r1"], ["r1", "r0"], ["r0"]]):
        following = await tracking.runs([("0",)], Search(), page_of_names(2, result.position(row)))
        assert following.rows["name"] == rest
    assert await tracking.count_runs([("0",)], Search()) == [5]
    points = await tracking.histories([(run_ids[0], "m")], None, None)
    assert tuples_by_parent(points, "step") == [[(step,) for step in range(5)]]
    assert tracking.calls["get_metric_history"] == 3


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
