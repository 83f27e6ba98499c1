"""Whole query results, compared with MLflow's own client on the same store."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from mlflow.entities import Experiment, Metric, Run, ViewType

from schema.types.node import global_id
from tests.support.app.graphql_client import graphql_client
from tests.support.stores import store_strategies
from tests.support.stores.store import Store

_INFINITY = 1.7976931348623157e308
"""The value that MLflow's databases, and so its servers, store for infinity."""

POINT = "step timestamp value nonFinite"
EVERYTHING = f"""
query ($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    id
    ... on Experiment {{
      experimentId name artifactLocation lifecycleStage createdAt updatedAt
      tags {{ key value }}
      runs(view: ALL, first: 1000, orderBy: [{{attribute: RUN_ID}}]) {{
        totalCount
        pageInfo {{ hasNextPage hasPreviousPage }}
        nodes {{
          id runId name status lifecycleStage userId startedAt endedAt durationSeconds
          artifactUri experimentId
          experiment {{ experimentId name }}
          params {{ key value }}
          tags {{ key value }}
          metrics {{
            key {POINT}
            history {{ {POINT} }}
            series {{ steps timestamps values }}
          }}
        }}
      }}
    }}
  }}
}}
"""


def time(milliseconds: int | None) -> str | None:
    """Format a time as the graph does, with independent code."""
    if milliseconds is None:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def value(number: float) -> dict[str, Any]:
    """Return the graph's form of a metric value."""
    if math.isnan(number):
        return {"value": None, "nonFinite": "NAN"}
    if abs(number) >= _INFINITY:
        return {"value": None, "nonFinite": "POSITIVE_INFINITY" if number > 0 else "NEGATIVE_INFINITY"}
    return {"value": number, "nonFinite": None}


def point(metric: Metric) -> dict[str, Any]:
    """Return the graph's form of a logged point."""
    return {"step": metric.step, "timestamp": time(metric.timestamp), **value(metric.value)}


def pairs(texts: dict[str, str]) -> list[dict[str, str]]:
    """Return the graph's form of params or tags."""
    return [{"key": key, "value": texts[key]} for key in sorted(texts)]


def in_order(metric: Metric) -> tuple[int, int, bool, float]:
    """Return the sort key of a point in its history."""
    return metric.step, metric.timestamp, math.isnan(metric.value), metric.value


def expected_metric(store: Store, run: Run, key: str) -> dict[str, Any]:
    """Return the expected form of a metric."""
    (last,) = (metric for metric in run.data._metric_objs if metric.key == key)  # noqa: SLF001
    history = sorted(store.client.get_metric_history(run.info.run_id, key), key=in_order)
    points = [point(metric) for metric in history]
    columns = {
        "steps": [entry["step"] for entry in points],
        "timestamps": [entry["timestamp"] for entry in points],
        "values": [entry["value"] for entry in points],
    }
    return {"key": key, **point(last), "history": points, "series": columns}


def expected_run(store: Store, experiment: Experiment, run: Run) -> dict[str, Any]:
    """Return the expected form of a run."""
    info = run.info
    duration = None if info.end_time is None else (info.end_time - info.start_time) / 1000
    return {
        "id": global_id("Run", info.run_id),
        "runId": info.run_id,
        "name": info.run_name,
        "status": info.status,
        "lifecycleStage": info.lifecycle_stage.upper(),
        "userId": info.user_id,
        "startedAt": time(info.start_time),
        "endedAt": time(info.end_time),
        "durationSeconds": duration,
        "artifactUri": info.artifact_uri,
        "experimentId": experiment.experiment_id,
        "experiment": {"experimentId": experiment.experiment_id, "name": experiment.name},
        "params": pairs(run.data.params),
        "tags": pairs(run.data.tags),
        "metrics": [expected_metric(store, run, key) for key in sorted(run.data.metrics)],
    }


def expected_experiment(store: Store, experiment_id: str) -> dict[str, Any]:
    """Return the expected form of an experiment and its runs."""
    experiment = store.client.get_experiment(experiment_id)
    runs = store.client.search_runs([experiment_id], run_view_type=ViewType.ALL)
    runs.sort(key=lambda run: str(run.info.run_id))
    return {
        "id": global_id("Experiment", experiment_id),
        "experimentId": experiment_id,
        "name": experiment.name,
        "artifactLocation": experiment.artifact_location,
        "lifecycleStage": experiment.lifecycle_stage.upper(),
        "createdAt": time(experiment.creation_time),
        "updatedAt": time(experiment.last_update_time),
        "tags": pairs(experiment.tags),
        "runs": {
            "totalCount": len(runs),
            "pageInfo": {"hasNextPage": False, "hasPreviousPage": False},
            "nodes": [expected_run(store, experiment, run) for run in runs],
        },
    }


@pytest.mark.parametrize("kind", ["sqlite", "server", "azure"])
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=store_strategies.stores())
async def test_results_equal_mlflow_client(
    request: pytest.FixtureRequest, kind: str, drawn: list[store_strategies.Experiment]
) -> None:
    """Every field of every experiment, run, param, tag, metric and point equals that of MLflow's client."""
    store: Store = request.getfixturevalue(f"{kind}_store")
    store_strategies.rename_experiments(store.client)
    written = store_strategies.write_store(drawn, store.client)
    ids = [global_id("Experiment", experiment_id) for experiment_id in written.experiment_ids]
    async with graphql_client(store.uri, max_cost=10_000_000) as graphql:
        data = await graphql.data(EVERYTHING, ids=ids)
    assert data == {
        "nodes": [expected_experiment(store, experiment_id) for experiment_id in written.experiment_ids]
    }
