"""Groups of runs, best runs and keys, on each kind of store; pandas says what is right."""

import math
from typing import Any

import mlflow
import pandas as pd
import pytest

from tests.support.graphql_client import graphql_client
from tests.support.stores import Store

GROUPS = """query ($names: [String!], $by: [GroupKey!], $metrics: [String!], $where: RunFilter) {
  runGroups(experimentNames: $names, groupBy: $by, metrics: $metrics, where: $where) {
    key { name value } count metrics { key count min max mean stddev }
  }
}"""
VALUES = [0.5, 0.25, 3.0, 1e-9, -4.0, 1e6 + 0.1, 1e6 + 0.2]


def fill(store: Store) -> str:
    """Log runs with params, tags and metrics, of which each is missing somewhere."""
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


async def test_groups_are_those_of_pandas(store: Store) -> None:
    """Counts and spreads are what pandas makes of the table that MLflow gives it, missing keys included."""
    experiment = fill(store)
    async with graphql_client(store.uri) as ask:
        by = [{"param": "lr"}, {"tag": "team"}, {"attribute": "STATUS"}]
        groups = (await ask.data(GROUPS, names=["grouped"], by=by))["runGroups"]
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
        found = tuple(None if pd.isna(part) else part for part in key)
        expected[found] = {"count": len(rows), "metrics": metrics}
    got = {_key(group): {"count": group["count"], "metrics": group["metrics"]} for group in groups}
    assert got == expected
    assert len(groups) == len(expected) > 10
    assert [part["name"] for part in groups[0]["key"]] == ["lr", "team", "STATUS"]


async def test_groups_come_in_order(store: Store) -> None:
    """Numbers in params come as numbers and what is missing last, by one key after the other."""
    fill(store)
    async with graphql_client(store.uri) as ask:
        groups = (await ask.data(GROUPS, names=["grouped"], by=[{"param": "lr"}], metrics=[]))["runGroups"]
    assert [_key(group)[0] for group in groups] == ["1e-3", "0.01", "0.1", "10", None]
    assert all(group["metrics"] == [] for group in groups)


async def test_all_runs_are_one_group(store: Store) -> None:
    """Without keys there is one group, of the runs that match, even of none; a filter narrows it."""
    fill(store)
    async with graphql_client(store.uri) as ask:
        (whole,) = (await ask.data(GROUPS, names=["grouped"], metrics=["acc", "acc", "x"]))["runGroups"]
        assert (whole["key"], whole["count"]) == ([], 20)
        assert [(metric["key"], metric["count"]) for metric in whole["metrics"]] == [("acc", 15)]
        some = {"param": [{"key": "lr", "lt": 0.05}]}
        (part,) = (await ask.data(GROUPS, names=["grouped"], by=[], where=some))["runGroups"]
        assert part["count"] == 8
        assert (await ask.data(GROUPS, names=["nothing"]))["runGroups"] == [
            {"key": [], "count": 0, "metrics": []}
        ]
        assert (await ask.data(GROUPS, names=["nothing"], by=[{"tag": "a"}]))["runGroups"] == []


async def test_times_and_durations_as_keys(store: Store) -> None:
    """Times are written as the graph writes them, durations in seconds, ids as they are."""
    experiment = store.client.create_experiment("times")
    run = store.client.create_run(experiment, start_time=1500).info.run_id
    store.client.set_terminated(run, end_time=4000)
    by = [{"attribute": name} for name in ("STARTED_AT", "DURATION", "EXPERIMENT_ID", "RUN_ID")]
    async with graphql_client(store.uri) as ask:
        (group,) = (await ask.data(GROUPS, names=["times"], by=by))["runGroups"]
    assert _key(group) == ("1970-01-01T00:00:01.500Z", "2.5", experiment, run)


async def test_what_is_not_finite_is_not_summed(store: Store) -> None:
    """NaN and infinities count for nothing; values too large to be summed have no mean, and are no error."""
    experiment = store.client.create_experiment("odd")
    for values in ((1.0, 1e300), (math.nan, 2.0), (math.inf, -1e300), (3.0, 0.0)):
        run = store.client.create_run(experiment).info.run_id
        for key, value in zip(("m", "huge"), values, strict=True):
            store.client.log_metric(run, key, value)
    async with graphql_client(store.uri) as ask:
        (group,) = (await ask.data(GROUPS, names=["odd"]))["runGroups"]
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


async def test_what_is_too_small_to_be_squared(store: Store) -> None:
    """Values whose deviations have squares less than any float are spread by nothing, and are no error."""
    experiment = store.client.create_experiment("tiny")
    for values in ((1e-200, 1.0), (3e-200, 1.0 + 1e-15), (5e-324, 2.0)):
        run = store.client.create_run(experiment).info.run_id
        for key, value in zip(("m", "n"), values, strict=True):
            store.client.log_metric(run, key, value)
    async with graphql_client(store.uri) as ask:
        (group,) = (await ask.data(GROUPS, names=["tiny"]))["runGroups"]
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


async def test_too_many_groups_are_refused(store: Store) -> None:
    """The bound on groups, on their summaries and on keys is named by the error."""
    fill(store)
    by = [{"attribute": "RUN_ID"}]
    keys = '{ experiment(name: "grouped") { tagKeys } }'
    async with graphql_client(store.uri, max_groups=19) as ask:
        for variables in ({"by": by, "metrics": []}, {"by": [{"attribute": "STARTED_AT"}]}):
            error = await ask.error(GROUPS, names=["grouped"], **variables)
            assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
            assert "GQL_MAX_GROUPS" in error["message"]
    async with graphql_client(store.uri, max_groups=1) as ask:
        assert (await ask.error(keys))["extensions"]["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("entry", [{}, {"param": "a", "tag": "b"}, {"attribute": None}])
async def test_a_group_key_names_one_thing(sqlite_store: Store, entry: dict[str, Any]) -> None:
    """An entry of groupBy that names nothing or several things is the client's mistake."""
    async with graphql_client(sqlite_store.uri) as ask:
        error = await ask.error(GROUPS, by=[entry])
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "exactly one of attribute, param and tag" in error["message"]


BEST = """query ($name: String!) { experiment(name: $name) {
  most: bestRun(metric: "m") { name } least: bestRun(metric: "m", goal: MINIMIZE) { name }
  none: bestRun(metric: "nothing") { name }
} }"""


async def test_best_runs(store: Store) -> None:
    """The best is of the finished active runs that have a value; infinities are values, a NaN is none."""
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
        gone = store.client.create_run(experiment, run_name="gone").info.run_id
        store.client.log_metric(gone, "m", 100.0)
        store.client.set_terminated(gone)
        store.client.delete_run(gone)
    async with graphql_client(store.uri) as ask:
        best = {name: (await ask.data(BEST, name=name))["experiment"] for name in ("plain", "endless", "nan")}
    assert best["plain"] == {"most": {"name": "2.0"}, "least": {"name": "1.0"}, "none": None}
    assert best["endless"] == {"most": {"name": "inf"}, "least": {"name": "-inf"}, "none": None}
    assert best["nan"] == {"most": None, "least": None, "none": None}


async def test_keys_that_were_logged(store: Store) -> None:
    """Each experiment has the distinct keys of its active runs by code point, however many experiments."""
    fill(store)
    empty = store.client.create_experiment("empty")
    gone = store.client.create_run(empty, tags={"gone": "1"}).info.run_id
    store.client.delete_run(gone)
    # MySQL keeps keys that differ only by case apart where they are those of different runs.
    for keys in (("b", "a b", "é"), ("B",)):
        run = store.client.create_run("0").info.run_id
        for key in keys:
            store.client.log_param(run, key, "1")
    query = "{ experiments(orderBy: [{attribute: NAME}]) { nodes { name metricKeys paramKeys tagKeys } } }"
    async with graphql_client(store.uri) as ask:
        nodes = (await ask.data(query))["experiments"]["nodes"]
    found = {node["name"]: (node["metricKeys"], node["paramKeys"]) for node in nodes}
    assert found == {
        "Default": ([], ["B", "a b", "b", "é"]),
        "empty": ([], []),
        "grouped": (["acc", "loss"], ["lr"]),
    }
    assert all("team" in node["tagKeys"] for node in nodes if node["name"] == "grouped")
    assert all("gone" not in node["tagKeys"] for node in nodes)


async def test_groups_of_one_number(store: Store) -> None:
    """Texts that are the same number are groups of their own, by their text."""
    for text in ("0.10", "+0.1", "0.1", "1", ".1", "x"):
        store.client.log_param(store.client.create_run("0").info.run_id, "lr", text)
    async with graphql_client(store.uri) as ask:
        groups = (await ask.data('{ runGroups(groupBy: [{param: "lr"}]) { key { value } } }'))["runGroups"]
    assert [_key(group) for group in groups] == [("+0.1",), (".1",), ("0.1",), ("0.10",), ("1",), ("x",)]
