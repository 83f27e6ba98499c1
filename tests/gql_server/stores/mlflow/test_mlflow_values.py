"""Params, tags, metrics and histories over MLflow's own stores, on real stores of each kind."""

import math

from mlflow.entities import Metric

from gql_server.stores.mlflow.tracking import MlflowTracking
from schema.ports.tracking import Search
from tests.support.limits import LIMITS
from tests.support.schema.port_results import tuples_by_parent
from tests.support.stores.numbered_runs import create_runs, page_of_names
from tests.support.stores.store import Store

INT64 = 2**63 - 1


async def test_logged_values_are_columns_of_runs(store: Store, tracking: MlflowTracking) -> None:
    """Requested params, metrics and tags are columns of the runs, without further calls."""
    [run_id] = create_runs(store, "0", 1)
    store.client.set_tag(run_id, "note", "x")
    result = await tracking.runs(
        [("0",)], Search(), page_of_names(columns=frozenset({"params", "metrics", "tags"}))
    )
    assert tuples_by_parent(result.rows["params"], "key", "value") == [[("n", "0")]]
    assert tuples_by_parent(
        result.rows["metrics"], "run_id", "key", "value", "non_finite", "step", "timestamp"
    ) == [[(run_id, "loss", 1.0, None, 0, 5)]]
    assert ("note", "x") in tuples_by_parent(result.rows["tags"], "key", "value")[0]
    assert result.rows.columns.keys() == {"params", "metrics", "tags"}


async def test_params_tags_and_metrics_are_sorted_and_selected_by_key(
    store: Store, tracking: MlflowTracking
) -> None:
    """Params, tags and metrics of each run are sorted by key, all or those requested."""
    a, b = create_runs(store, "0", 2)
    for key in ("y", "Z", "é", "a b/c.d"):
        store.client.log_param(a, key, key)
        store.client.set_tag(a, key, "")
        store.client.log_metric(a, key, math.nan, timestamp=1, step=-3)
    assert tuples_by_parent(await tracking.params([b, a, "0" * 32, b], None), "key") == [
        [("n",)],
        [("Z",), ("a b/c.d",), ("n",), ("y",), ("é",)],
        [],
        [("n",)],
    ]
    assert tuples_by_parent(await tracking.tags([a], {"y", "z", "é", "no"}), "key", "value") == [
        [("y", ""), ("é", "")]
    ]
    assert tuples_by_parent(
        await tracking.metrics([a, b], {"Z"}), "run_id", "key", "value", "non_finite", "step"
    ) == [
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
    assert tuples_by_parent(result, "step", "timestamp", "value") == [history, [], [], [], [], history]
    some = await tracking.histories([(run_id, "m")], 2, 2)
    assert tuples_by_parent(some, "step", "timestamp", "value") == [history[1:5]]
    assert tracking.calls["get_metric_history"] == 5


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
    assert tuples_by_parent(await tracking.histories([(run_id, "m")], None, None), "value", "non_finite") == [
        names
    ]
    last = await tracking.metrics([run_id], {f"m{step}" for step in range(5)})
    assert tuples_by_parent(last, "value", "non_finite") == [names]


async def test_file_store_returns_the_largest_float(file_store: Store) -> None:
    """A file store stores infinities, so that the largest float is returned as a number."""
    [run_id] = create_runs(file_store, "0", 1)
    file_store.client.log_metric(run_id, "m", 1.7976931348623157e308)
    port = MlflowTracking(file_store.uri, LIMITS.store)
    assert tuples_by_parent(await port.metrics([run_id], {"m"}), "value") == [[(1.7976931348623157e308,)]]
    await port.close()
