"""Datasets, models and the registry in databases: statements, and rows that MLflow does not write."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Engine, insert

from gql_server.stores.sql.models.model_tables import (
    DATASETS,
    INPUT_TAGS,
    INPUTS,
    MODEL_METRICS,
    MODEL_PARAMS,
    MODEL_TAGS,
    MODELS,
)
from gql_server.stores.sql.registry.registry_tables import (
    ALIASES,
    REGISTERED,
    REGISTERED_TAGS,
    VERSION_TAGS,
    VERSIONS,
)
from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.registry import VersionKey
from schema.ports.tracking import Page
from tests.support.limits import LIMITS
from tests.support.stores.sql_rows import insert_experiment, insert_runs, writable

_WORKSPACE: ContextVar[str | None] = ContextVar("workspace", default=None)

MODEL = frozenset({"model_id", "name", "status", "source_run_id"})
VERSION = frozenset({"name", "version", "source_run_id", "logged_model_id"})
PAGE = Page(5, None, MODEL)


def fill(engine: Engine, number: int, workspace: str = "default", models: int = 1) -> str:
    """Insert an experiment with a run, its models, a dataset, and a registered model; return the run id."""
    run_id = f"{number:032x}"
    insert_experiment(engine, number, workspace=workspace)
    insert_runs(engine, str(number), [{"run_uuid": run_id}])
    ids = [f"m-{number}-{index}" for index in range(models)]
    of_model = {"experiment_id": number}
    rows: list[tuple[Any, list[dict[str, Any]]]] = [
        (DATASETS, [_dataset(number)]),
        (INPUTS, [_input(f"i{number}", ("DATASET", f"d{number}"), ("RUN", run_id))]),
        (INPUT_TAGS, [{"input_uuid": f"i{number}", "name": "mlflow.data.context", "value": "training"}]),
        (MODELS, [_model(model_id, number, run_id, index) for index, model_id in enumerate(ids)]),
        (
            MODEL_PARAMS,
            [of_model | {"model_id": id_, "param_key": "p", "param_value": "1"} for id_ in ids],
        ),
        (
            MODEL_TAGS,
            [of_model | {"model_id": id_, "tag_key": "t", "tag_value": "1"} for id_ in ids],
        ),
        (MODEL_METRICS, [_metric(model_id, number, run_id, step) for model_id in ids for step in (2, 1)]),
        (REGISTERED, [{"workspace": workspace, "name": f"net {number}"}]),
        (REGISTERED_TAGS, [_registered(number, workspace) | {"key": "k", "value": None}]),
        (VERSIONS, [_registered(number, workspace) | _version(run_id, ids[0])]),
        (VERSION_TAGS, [_registered(number, workspace) | {"version": 1, "key": "k", "value": "v"}]),
        (ALIASES, [_registered(number, workspace) | {"alias": "nowhere", "version": 9}]),
    ]
    with engine.begin() as connection:
        for table, values in rows:
            connection.execute(insert(writable(table)), values)
    return run_id


def _registered(number: int, workspace: str) -> dict[str, Any]:
    return {"workspace": workspace, "name": f"net {number}"}


def _version(run_id: str, model_id: str) -> dict[str, Any]:
    return {"version": 1, "run_id": run_id, "source": f"models:/{model_id}", "current_stage": "None"}


def _dataset(number: int) -> dict[str, Any]:
    names = {"dataset_uuid": f"d{number}", "experiment_id": number, "name": "data", "digest": "x"}
    return names | {"dataset_source_type": "local", "dataset_source": "{}"}


def _input(model_id: str, source: tuple[str, str], destination: tuple[str, str]) -> dict[str, Any]:
    ends = {"source_type": source[0], "source_id": source[1]}
    return {
        "input_uuid": model_id,
        **ends,
        "destination_type": destination[0],
        "destination_id": destination[1],
        "step": 0,
    }


def _model(model_id: str, number: int, run_id: str, index: int) -> dict[str, Any]:
    times = {"creation_timestamp_ms": 1000 + index, "last_updated_timestamp_ms": 1000}
    names = {"model_id": model_id, "experiment_id": number, "name": model_id, "artifact_location": "there"}
    return names | times | {"status": 2, "lifecycle_stage": "active", "source_run_id": run_id}


def _metric(model_id: str, number: int, run_id: str, step: int) -> dict[str, Any]:
    names = {"model_id": model_id, "experiment_id": number, "run_id": run_id, "metric_name": "loss"}
    return names | {"metric_timestamp_ms": 0, "metric_step": step, "metric_value": float(step)}


def calls(tracking: SqlTracking, numbers: list[int]) -> list[Callable[[], Awaitable[Any]]]:
    """Return one call of each method, for the objects with these numbers."""
    models, registry = tracking.models, tracking.registry
    run_ids = [f"{number:032x}" for number in numbers]
    ids = [f"m-{number}-0" for number in numbers]
    experiments = [str(number) for number in numbers]
    names = [f"net {number}" for number in numbers]
    keys = [VersionKey(name, "1") for name in names]
    return [
        lambda: models.datasets(run_ids, frozenset({"name", "context"})),
        lambda: models.of_runs(run_ids, MODEL),
        lambda: models.of_experiments(experiments, PAGE),
        lambda: models.count_of_experiments(experiments),
        lambda: models.by_id(ids, MODEL),
        lambda: models.params(ids),
        lambda: models.tags(ids),
        lambda: models.metrics(ids),
        lambda: registry.models(None, Page(5, None, frozenset({"name"}))),
        lambda: registry.count_models(None),
        lambda: registry.models_by_name(names, frozenset({"name"})),
        lambda: registry.model_tags(names),
        lambda: registry.aliases(names),
        lambda: registry.versions(names, Page(5, None, VERSION)),
        lambda: registry.count_versions(names),
        lambda: registry.versions_by_key(keys, VERSION),
        lambda: registry.versions_of_runs(run_ids, VERSION),
        lambda: registry.version_tags(keys),
    ]


async def test_each_call_takes_one_statement(
    engine: Engine, tracking: SqlTracking, statements: list[str]
) -> None:
    """Each call is a single statement, for any number of parents."""
    for number in range(5, 15):
        fill(engine, number, models=3)
    for numbers in ([5], list(range(5, 15))):
        for call in calls(tracking, numbers):
            await tracking.ready()
            statements.clear()
            await call()
            assert len([text for text in statements if text.startswith("SELECT")]) == 1, statements


async def test_models_with_equal_times_are_paginated_by_id(engine: Engine, tracking: SqlTracking) -> None:
    """Models with the same creation time are sorted by id on every page."""
    fill(engine, 5, models=4)
    with engine.begin() as connection:
        connection.execute(MODELS.update().values(creation_timestamp_ms=7))
    model_ids: list[str] = []
    after = None
    while True:
        page = await tracking.models.of_experiments(["5"], Page(1, after, MODEL))
        model_ids += page.rows["model_id"]
        if not page.has_next[0]:
            break
        after = page.position(0)
    assert model_ids == [f"m-5-{index}" for index in range(4)]


async def test_last_metric_value_is_selected_in_sql(engine: Engine, tracking: SqlTracking) -> None:
    """Of a model's metric, only the value with the highest step is read from the database."""
    fill(engine, 5)
    result = await tracking.models.metrics(["m-5-0"])
    assert (list(result.rows["step"]), list(result.rows["value"])) == ([2], [2.0])


async def test_alias_without_version_is_returned(engine: Engine, tracking: SqlTracking) -> None:
    """An alias whose version was deleted is returned, and its version is not found."""
    fill(engine, 5)
    aliases = await tracking.registry.aliases(["net 5"])
    assert (list(aliases.rows["alias"]), list(aliases.rows["version"])) == (["nowhere"], ["9"])
    result = await tracking.registry.versions_by_key([VersionKey("net 5", "9")], VERSION)
    assert result.index == [None]


async def test_invalid_ids_become_none(engine: Engine, tracking: SqlTracking) -> None:
    """Text that cannot be the id of a run or a model is returned as None."""
    fill(engine, 5)
    for run_id, source in (
        (None, None),
        ("", ""),
        ("not a run", "runs:/x/model"),
        ("../x", "models:/net/1"),
        ("a\nb", "models:/m-1/x"),
    ):
        with engine.begin() as connection:
            connection.execute(VERSIONS.update().values(run_id=run_id, source=source))
            connection.execute(MODELS.update().values(source_run_id=run_id))
        page = await tracking.registry.versions(["net 5"], Page(5, None, VERSION))
        assert list(page.rows["source_run_id"]) == [None]
        result = await tracking.registry.versions_by_key([VersionKey("net 5", "1")], VERSION)
        assert list(result.rows["logged_model_id"]) == [None]
        models = await tracking.models.by_id(["m-5-0"], MODEL)
        assert list(models.rows["source_run_id"]) == [None]


async def test_source_names_logged_model(engine: Engine, tracking: SqlTracking) -> None:
    """A version's source names a logged model by its id, or by the folder of its files."""
    fill(engine, 5)
    for source in ("models:/m-1", "/a/models/m-1/artifacts", "file:///two\nlines/models/m-1/artifacts/"):
        with engine.begin() as connection:
            connection.execute(VERSIONS.update().values(source=source))
        versions = await tracking.registry.versions_by_key([VersionKey("net 5", "1")], VERSION)
        assert list(versions.rows["logged_model_id"]) == ["m-1"], source


async def test_unknown_status_is_returned_as_number(engine: Engine, tracking: SqlTracking) -> None:
    """An unknown status number of a later MLflow is returned as text, and no error."""
    fill(engine, 5)
    with engine.begin() as connection:
        connection.execute(MODELS.update().values(status=77))
    assert list((await tracking.models.by_id(["m-5-0"], MODEL)).rows["status"]) == ["77"]


async def test_registry_names_are_case_sensitive(engine: Engine, tracking: SqlTracking) -> None:
    """A name in another case is another name, also in a database that ignores case."""
    fill(engine, 5)
    registry = tracking.registry
    assert (await registry.models_by_name(["NET 5"], VERSION)).index == [None]
    assert (await registry.versions_by_key([VersionKey("NET 5", "1")], VERSION)).index == [None]
    assert (await registry.versions(["NET 5"], Page(5, None, VERSION))).rows.size == 0
    assert await registry.count_versions(["NET 5"]) == [0]
    assert (await registry.aliases(["NET 5"])).spans == [(0, 0)]
    assert (await registry.model_tags(["NET 5"])).spans == [(0, 0)]


async def test_model_reads_are_limited_to_workspace(engine: Engine) -> None:
    """Every call reads only the workspace of the caller's context, for any ids."""
    fill(engine, 5, "ours")
    fill(engine, 6, "theirs")
    tracking = SqlTracking(engine, LIMITS.store, workspace=_WORKSPACE.get)
    sizes = []
    for workspace in ("theirs", "nobody's"):
        _WORKSPACE.set(workspace)
        sizes.append([_size(await call()) for call in calls(tracking, [5])])
    searches = {8, 9}
    assert [size for index, size in enumerate(sizes[0]) if index not in searches] == [0] * 16
    assert sizes[1] == [0] * 18
    _WORKSPACE.set("ours")
    assert all([_size(await call()) for call in calls(tracking, [5])])
    await tracking.close()


def _size(result: Any) -> int:
    if isinstance(result, int | list):
        return sum(result) if isinstance(result, list) else result
    rows = result.rows
    return int(rows.size)
