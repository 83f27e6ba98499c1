"""Generated stores, read by the port and by MLflow's own client."""

import math
from typing import Any

from hypothesis import HealthCheck, Phase, assume, example, given, settings
from mlflow.entities import ViewType
from sqlalchemy import Engine

from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.lifecycle import LifecycleView
from schema.ports.tracking import Page, Search
from tests.support.limits import LIMITS
from tests.support.schema.port_results import rows_by_parent
from tests.support.stores.sql_rows import ANY_STAGE, WHOLE_PAGE
from tests.support.stores.store import Store
from tests.support.stores.store_strategies import (
    Experiment,
    Run,
    fits_mysql,
    rename_experiments,
    stores,
    write_store,
)

_EXPERIMENTS = frozenset(
    {"experiment_id", "name", "artifact_location", "lifecycle_stage", "created_at", "updated_at"}
)
_RUNS = frozenset(
    {
        "run_id",
        "name",
        "status",
        "lifecycle_stage",
        "user_id",
        "started_at",
        "ended_at",
        "artifact_uri",
        "experiment_id",
    }
)

_SIMILAR_KEYS = Run("a", "b", "RUNNING", 1, None, False, {"5": "x", "5 ": "y"}, {"a": "x", "A": "y"}, {})  # noqa: FBT003


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(generated=stores())
@example(generated=[Experiment("similar keys", {}, deleted=False, runs=[_SIMILAR_KEYS])])
async def test_results_match_mlflow_client(
    database: Store, engine: Engine, generated: list[Experiment]
) -> None:
    """Experiments, runs, params, tags, metrics and histories are those of MlflowClient."""
    assume(database.name != "mysql" or fits_mysql(generated))
    rename_experiments(database.client)
    written = write_store(generated, database.client)
    tracking = SqlTracking(engine, LIMITS.store)
    await _compare_experiments(tracking, database)
    for experiment_id in written.experiment_ids:
        await _compare_runs(tracking, database, experiment_id)


async def _compare_experiments(tracking: SqlTracking, database: Store) -> None:
    pages = await tracking.experiments(ANY_STAGE, Page(1000, None, _EXPERIMENTS))
    expected = database.client.search_experiments(view_type=ViewType.ALL)
    assert _rows(pages.rows.columns, _EXPERIMENTS) == [
        {
            "experiment_id": known.experiment_id,
            "name": known.name,
            "artifact_location": known.artifact_location,
            "lifecycle_stage": known.lifecycle_stage.upper(),
            "created_at": known.creation_time,
            "updated_at": known.last_update_time,
        }
        for known in expected
    ]
    tags = await tracking.experiment_tags([known.experiment_id for known in expected], None)
    assert rows_by_parent(tags, "key", "value") == [sorted(known.tags.items()) for known in expected]


async def _compare_runs(tracking: SqlTracking, database: Store, experiment_id: str) -> None:
    expected = database.client.search_runs([experiment_id], run_view_type=ViewType.ALL)
    pages = await tracking.runs([(experiment_id,)], ANY_STAGE, Page(1000, None, _RUNS))
    infos = [run.info for run in expected]
    assert _rows(pages.rows.columns, _RUNS) == [
        {
            "run_id": info.run_id,
            "name": info.run_name,
            "status": info.status,
            "lifecycle_stage": info.lifecycle_stage.upper(),
            "user_id": info.user_id,
            "started_at": info.start_time,
            "ended_at": info.end_time,
            "artifact_uri": info.artifact_uri,
            "experiment_id": info.experiment_id,
        }
        for info in infos
    ]
    run_ids = [info.run_id for info in infos]
    params, tags = await tracking.params(run_ids, None), await tracking.tags(run_ids, None)
    assert rows_by_parent(params, "key", "value") == [sorted(run.data.params.items()) for run in expected]
    assert rows_by_parent(tags, "key", "value") == [sorted(run.data.tags.items()) for run in expected]
    metrics = await tracking.metrics(run_ids, None)
    assert rows_by_parent(metrics, "key", "value", "non_finite") == [
        [(key, *_split(value)) for key, value in sorted(run.data.metrics.items())] for run in expected
    ]
    series = list(zip(metrics.rows["run_id"], metrics.rows["key"], strict=True))
    histories = await tracking.histories(series, None, None)
    assert rows_by_parent(histories, "step", "timestamp", "value", "non_finite") == [
        sorted(((point.step, point.timestamp, *_split(point.value)) for point in history), key=_sort_key)
        for history in (database.client.get_metric_history(*one) for one in series)
    ]
    for view, mlflows in ((LifecycleView.ACTIVE, 1), (LifecycleView.DELETED, 2)):
        result = await tracking.runs([(experiment_id,)], Search(view=view), WHOLE_PAGE)
        known = database.client.search_runs([experiment_id], run_view_type=mlflows)
        assert list(result.rows["run_id"]) == [run.info.run_id for run in known]


def _rows(columns: Any, names: frozenset[str]) -> list[dict[str, Any]]:
    assert columns.keys() == names
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _split(value: float) -> tuple[float | None, str | None]:
    if math.isnan(value):
        return None, "NAN"
    if abs(value) < 1.7976931348623157e308:
        return value, None
    return None, "POSITIVE_INFINITY" if value > 0 else "NEGATIVE_INFINITY"


def _sort_key(point: tuple[int, int, float | None, str | None]) -> tuple[Any, ...]:
    step, timestamp, value, name = point
    infinite = {"POSITIVE_INFINITY": math.inf, "NEGATIVE_INFINITY": -math.inf}
    return step, timestamp, name == "NAN", infinite.get(name or "", value or 0.0)
