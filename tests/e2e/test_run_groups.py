"""Groups of runs, best runs and keys, on each kind of store, compared with pandas."""

import math
from typing import Any

import mlflow
import pandas as pd
import pytest

from tests.support.app.graphql_client import graphql_client
from tests.support.stores.store import Store

GROUPS = """query ($names: [String!], $by: [GroupKey!], $metrics: [String!], $where: RunFilter) {
  runGroups(experimentNames: $names, groupBy: $by, metrics: $metrics, where: $where) {
    key { name value } count metrics { key count min max mean stddev }
  }
}"""
VALUES = [0.5, 0.25, 3.0, 1e-9, -4.0, 1e6 + 0.1, 1e6 + 0.2]


def fill(store: Store) -> str:
    """Log runs with params, tags and metrics, each of which some run does not have."""
    experiment = store.client.create_experiment("grouped")
    for number in range(20):
        run = store.client.create_run(experiment, start_time=1000 + number).info.run_id
        if number % 5:
            store.client.log_param(run, "lr", ["0.1", "0.01", "10", "1e-3"][number % 4])
        store.client.set_tag(run, "team", ["A", "a", "日本"][number % 3])
        store.client.log_metric(run, "loss", VALUES[number % 7])
        if number % 4:
            store.client.log_metric(run, "acc", number / 7)
        store.client.set_terminated(run, ["FINISHED", "FAILED"][number % 2])
    return experiment


def _key(group: Any) -> tuple[Any, ...]:
    return tuple(part["value"] for part in group["key"])


def _number(value: float) -> Any:
    return None if math.isnan(value) else pytest.approx(value, rel=1e-9)


async def test_groups_equal_pandas(store: Store) -> None:
    """Counts and spreads equal those of pandas on MLflow's table, missing keys included."""
    experiment = fill(store)
    async with graphql_client(store.uri) as graphql:
        by = [{"param": "lr"}, {"tag": "team"}, {"attribute": "STATUS"}]
        groups = (await graphql.data(GROUPS, names=["grouped"], by=by))["runGroups"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", store.uri)
        table: Any = mlflow.search_runs([experiment])
    keys = ["params.lr", "tags.team", "status"]
    expected = {}
    for key, rows in table.groupby(keys, dropna=False):
        spread = rows[["metrics.acc", "metrics.loss"]].agg(["count", "min", "max", "mean", "std"])
        metrics = [
            {
                "key": name.removeprefix("metrics."),
                "count": int(column["count"]),
                **{part: _number(column[part]) for part in ("min", "max", "mean")},
                "stddev": _number(column["std"]),
            }
            for name, column in spread.items()
            if column["count"]
        ]
        group = tuple(None if pd.isna(part) else part for part in key)
        expected[group] = {"count": len(rows), "metrics": metrics}
    actual = {_key(group): {"count": group["count"], "metrics": group["metrics"]} for group in groups}
    assert actual == expected
    assert len(groups) == len(expected) > 10
    assert [part["name"] for part in groups[0]["key"]] == ["lr", "team", "STATUS"]


async def test_groups_are_ordered_by_keys(store: Store) -> None:
    """Groups are ordered by each key in turn: numbers in params as numbers, missing values last."""
    fill(store)
    async with graphql_client(store.uri) as graphql:
        groups = (await graphql.data(GROUPS, names=["grouped"], by=[{"param": "lr"}], metrics=[]))[
            "runGroups"
        ]
    assert [_key(group)[0] for group in groups] == ["1e-3", "0.01", "0.1", "10", None]
    assert all(group["metrics"] == [] for group in groups)


async def test_no_keys_give_one_group(store: Store) -> None:
    """Without keys all matching runs form one group, even if none match; a filter selects runs."""
    fill(store)
    async with graphql_client(store.uri) as graphql:
        (whole,) = (await graphql.data(GROUPS, names=["grouped"], metrics=["acc", "acc", "x"]))["runGroups"]
        assert (whole["key"], whole["count"]) == ([], 20)
        assert [(metric["key"], metric["count"]) for metric in whole["metrics"]] == [("acc", 15)]
        some = {"param": [{"key": "lr", "lt": 0.05}]}
        (part,) = (await graphql.data(GROUPS, names=["grouped"], by=[], where=some))["runGroups"]
        assert part["count"] == 8
        assert (await graphql.data(GROUPS, names=["nothing"]))["runGroups"] == [
            {"key": [], "count": 0, "metrics": []}
        ]
        assert (await graphql.data(GROUPS, names=["nothing"], by=[{"tag": "a"}]))["runGroups"] == []


async def test_keys_are_formatted_as_in_the_graph(store: Store) -> None:
    """Times are formatted as in the graph, durations are in seconds, and ids are unchanged."""
    experiment = store.client.create_experiment("times")
    run = store.client.create_run(experiment, start_time=1500).info.run_id
    store.client.set_terminated(run, end_time=4000)
    by = [{"attribute": name} for name in ("STARTED_AT", "DURATION", "EXPERIMENT_ID", "RUN_ID")]
    async with graphql_client(store.uri) as graphql:
        (group,) = (await graphql.data(GROUPS, names=["times"], by=by))["runGroups"]
    assert _key(group) == ("1970-01-01T00:00:01.500Z", "2.5", experiment, run)


async def test_non_finite_values_are_not_aggregated(store: Store) -> None:
    """NaN and infinities are ignored; values whose sum overflows have no mean, and are no error."""
    experiment = store.client.create_experiment("odd")
    for values in ((1.0, 1e300), (math.nan, 2.0), (math.inf, -1e300), (3.0, 0.0)):
        run = store.client.create_run(experiment).info.run_id
        for key, value in zip(("m", "huge"), values, strict=True):
            store.client.log_metric(run, key, value)
    async with graphql_client(store.uri) as graphql:
        (group,) = (await graphql.data(GROUPS, names=["odd"]))["runGroups"]
    huge, small = group["metrics"]
    assert huge == {"key": "huge", "count": 4, "min": -1e300, "max": 1e300, "mean": None, "stddev": None}
    assert small == {
        "key": "m",
        "count": 2,
        "min": 1.0,
        "max": 3.0,
        "mean": 2.0,
        "stddev": pytest.approx(math.sqrt(2)),
    }


async def test_underflowing_deviations_have_no_spread(store: Store) -> None:
    """Values whose squared deviations underflow have a spread of 0, and are no error."""
    experiment = store.client.create_experiment("tiny")
    for values in ((1e-200, 1.0), (3e-200, 1.0 + 1e-15), (5e-324, 2.0)):
        run = store.client.create_run(experiment).info.run_id
        for key, value in zip(("m", "n"), values, strict=True):
            store.client.log_metric(run, key, value)
    async with graphql_client(store.uri) as graphql:
        (group,) = (await graphql.data(GROUPS, names=["tiny"]))["runGroups"]
    tiny, other = group["metrics"]
    assert tiny == {
        "key": "m",
        "count": 3,
        "min": 5e-324,
        "max": 3e-200,
        "mean": pytest.approx(4e-200 / 3, rel=1e-9, abs=0),
        "stddev": pytest.approx(0, abs=1e-150),
    }
    assert other["stddev"] == pytest.approx(math.sqrt(1 / 3))


async def test_groups_are_limited(store: Store) -> None:
    """The error for too many groups, summaries or keys names the setting."""
    fill(store)
    by = [{"attribute": "RUN_ID"}]
    keys = '{ experiment(name: "grouped") { tagKeys } }'
    async with graphql_client(store.uri, max_groups=19) as graphql:
        for variables in ({"by": by, "metrics": []}, {"by": [{"attribute": "STARTED_AT"}]}):
            error = await graphql.error(GROUPS, names=["grouped"], **variables)
            assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
            assert "GQL_MAX_GROUPS" in error["message"]
    async with graphql_client(store.uri, max_groups=1) as graphql:
        assert (await graphql.error(keys))["extensions"]["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("entry", [{}, {"param": "a", "tag": "b"}, {"attribute": None}])
async def test_group_key_must_have_one_field(sqlite_store: Store, entry: dict[str, Any]) -> None:
    """An entry of groupBy with no field or several is BAD_USER_INPUT."""
    async with graphql_client(sqlite_store.uri) as graphql:
        error = await graphql.error(GROUPS, by=[entry])
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "exactly one of attribute, param and tag" in error["message"]


BEST = """query ($name: String!) { experiment(name: $name) {
  most: bestRun(metric: "m") { name } least: bestRun(metric: "m", goal: MINIMIZE) { name }
  none: bestRun(metric: "nothing") { name }
} }"""


async def test_best_run_is_finished_with_a_value(store: Store) -> None:
    """The best run is active, finished and has a value; infinities are values, and NaN is not."""
    for name, extremes in (("plain", [2.0]), ("endless", [math.inf, -math.inf]), ("nan", [])):
        experiment = store.client.create_experiment(name)
        for number, value in enumerate([1.0, *extremes, math.nan] if extremes else [math.nan]):
            run = store.client.create_run(experiment, run_name=f"{value}").info.run_id
            store.client.log_metric(run, "m", value, step=number)
            store.client.set_terminated(run)
        for status, value in (("FAILED", 100.0), ("RUNNING", -100.0)):
            run = store.client.create_run(experiment, run_name=status).info.run_id
            store.client.log_metric(run, "m", value)
            store.client.update_run(run, status)
        deleted = store.client.create_run(experiment, run_name="gone").info.run_id
        store.client.log_metric(deleted, "m", 100.0)
        store.client.set_terminated(deleted)
        store.client.delete_run(deleted)
    async with graphql_client(store.uri) as graphql:
        best = {
            name: (await graphql.data(BEST, name=name))["experiment"] for name in ("plain", "endless", "nan")
        }
    assert best["plain"] == {"most": {"name": "2.0"}, "least": {"name": "1.0"}, "none": None}
    assert best["endless"] == {"most": {"name": "inf"}, "least": {"name": "-inf"}, "none": None}
    assert best["nan"] == {"most": None, "least": None, "none": None}


async def test_logged_keys_are_distinct_and_sorted(store: Store) -> None:
    """Each experiment has the distinct keys of its active runs by code point, however many experiments."""
    fill(store)
    empty = store.client.create_experiment("empty")
    deleted = store.client.create_run(empty, tags={"gone": "1"}).info.run_id
    store.client.delete_run(deleted)
    # In MySQL, keys that differ only in case can be stored if they belong to different runs.
    for keys in (("b", "a b", "é"), ("B",)):
        run = store.client.create_run("0").info.run_id
        for key in keys:
            store.client.log_param(run, key, "1")
    query = "{ experiments(orderBy: [{attribute: NAME}]) { nodes { name metricKeys paramKeys tagKeys } } }"
    async with graphql_client(store.uri) as graphql:
        nodes = (await graphql.data(query))["experiments"]["nodes"]
    group = {node["name"]: (node["metricKeys"], node["paramKeys"]) for node in nodes}
    assert group == {
        "Default": ([], ["B", "a b", "b", "é"]),
        "empty": ([], []),
        "grouped": (["acc", "loss"], ["lr"]),
    }
    assert all("team" in node["tagKeys"] for node in nodes if node["name"] == "grouped")
    assert all("gone" not in node["tagKeys"] for node in nodes)


async def test_equal_numbers_in_different_text_are_different_groups(store: Store) -> None:
    """Texts that are the same number are separate groups, ordered by their text."""
    for text in ("0.10", "+0.1", "0.1", "1", ".1", "x"):
        store.client.log_param(store.client.create_run("0").info.run_id, "lr", text)
    async with graphql_client(store.uri) as graphql:
        groups = (await graphql.data('{ runGroups(groupBy: [{param: "lr"}]) { key { value } } }'))[
            "runGroups"
        ]
    assert [_key(group) for group in groups] == [("+0.1",), (".1",), ("0.1",), ("0.10",), ("1",), ("x",)]
