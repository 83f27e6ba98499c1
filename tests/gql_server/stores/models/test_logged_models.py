"""Datasets and logged models are the same on every kind of store."""

import math
from typing import Any

import pytest
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModel,
    LoggedModelOutput,
    Metric,
    Run,
)

from gql_server.stores.mlflow import model_reader
from schema.ports.errors import BadUserInput
from schema.ports.tracking import Page
from tests.gql_server.stores.models.conftest import StoreUnderTest
from tests.support.schema.port_results import mapping_by_parent, row_by_parent, rows_by_parent

LEAVES = frozenset(
    {
        *("model_id", "name", "status", "model_type", "created_at", "updated_at", "artifact_location"),
        *("experiment_id", "source_run_id"),
    }
)
NAME = frozenset({"name"})
FEW = frozenset({"name", "source_run_id"})


def create_run(tested: StoreUnderTest, experiment: str = "0") -> Run:
    """Start a run."""
    return tested.client.create_run(experiment)


def create_model(tested: StoreUnderTest, name: str, run: Run | None = None, **given: Any) -> LoggedModel:
    """Log a model; each is newer than the one before, if milliseconds differ."""
    source = run.info.run_id if run else None
    experiment = run.info.experiment_id if run else "0"
    return tested.client.create_logged_model(experiment, name, source, **given)


async def test_model_has_requested_columns(tested: StoreUnderTest) -> None:
    """Each column of a model is MLflow's value, with the names and nulls of the port."""
    run = create_run(tested)
    logged = create_model(tested, "net", run, model_type="classifier")
    result = await tested.port.models.by_id([logged.model_id, "m-nothing"], LEAVES)
    assert result.index == [0, None]
    row: dict[str, Any] = {name: result.rows[name][0] for name in LEAVES}
    assert row == {
        "model_id": logged.model_id,
        "name": "net",
        "status": "PENDING",
        "model_type": "classifier",
        "created_at": logged.creation_timestamp,
        "updated_at": logged.last_updated_timestamp,
        "artifact_location": logged.artifact_location,
        "experiment_id": "0",
        "source_run_id": run.info.run_id,
    }
    tested.client.finalize_logged_model(logged.model_id, "READY")
    bare = create_model(tested, "bare")
    result = await tested.port.models.by_id([logged.model_id, bare.model_id], LEAVES)
    assert row_by_parent(result, "status", "source_run_id", "model_type") == [
        ("READY", run.info.run_id, "classifier"),
        ("PENDING", None, None),
    ]


async def test_models_of_runs(tested: StoreUnderTest) -> None:
    """A run's models are those with the run as source and those among its outputs, each once."""
    one, two, none = (create_run(tested) for _ in range(3))
    created = create_model(tested, "created", one)
    adopted = create_model(tested, "adopted")
    tested.client.log_outputs(
        one.info.run_id, [LoggedModelOutput(created.model_id, 1), LoggedModelOutput(adopted.model_id, 2)]
    )
    other = create_model(tested, "other", two)
    deleted = create_model(tested, "deleted", two)
    tested.client.delete_logged_model(deleted.model_id)
    run_ids = [run.info.run_id for run in (one, none, two, one)]
    result = rows_by_parent(await tested.port.models.of_runs(run_ids, FEW), "name", "source_run_id")
    assert [sorted(models) for models in result] == [
        [("adopted", None), ("created", one.info.run_id)],
        [],
        [("other", two.info.run_id)],
        [("adopted", None), ("created", one.info.run_id)],
    ]
    assert other.source_run_id == two.info.run_id


async def test_deleted_models_are_not_returned(tested: StoreUnderTest) -> None:
    """A deleted model is not returned; a model of a deleted run or experiment is.

    A file store moves a deleted experiment away, and searches only the other experiments for a model by id.
    """
    experiment = tested.client.create_experiment("old")
    run = create_run(tested, experiment)
    active, deleted = (create_model(tested, name, run) for name in ("active", "deleted"))
    tested.client.delete_logged_model(deleted.model_id)
    tested.client.delete_run(run.info.run_id)
    tested.client.delete_experiment(experiment)
    models = tested.port.models
    result = await models.by_id([deleted.model_id, active.model_id], FEW)
    expected = None if tested.kind == "file" else ("active", run.info.run_id)
    assert row_by_parent(result, "name", "source_run_id") == [None, expected]
    page = await models.of_experiments([experiment], Page(10, None, NAME))
    assert list(page.rows["name"]) == ["active"]
    assert await models.count_of_experiments([experiment, "0"]) == [1, 0]


async def test_models_are_paginated_by_experiment(tested: StoreUnderTest) -> None:
    """Models are sorted by experiment, the newest first, and a page can start after any position."""
    other = tested.client.create_experiment("other")
    for number in range(5):
        create_model(tested, f"m{number}")
    tested.client.create_logged_model(other, "apart")
    models = tested.port.models
    page = await models.of_experiments(["0", other, "0"], Page(3, None, NAME | {"model_id", "created_at"}))
    assert [stop - start for start, stop in page.spans] == [3, 1, 3]
    assert list(page.has_next) == [True, False, True]
    whole = await models.of_experiments(["0"], Page(10, None, NAME | {"created_at"}))
    times = list(whole.rows["created_at"])
    assert times == sorted(times, reverse=True)
    names = list(whole.rows["name"])
    assert sorted(names) == [f"m{number}" for number in range(5)]
    alone = await models.of_experiments(["0"], Page(3, None, NAME))
    for row in range(3):
        rest = await models.of_experiments(["0"], Page(10, alone.position(row), NAME))
        assert list(rest.rows["name"]) == names[row + 1 :]
    nothing = await models.of_experiments(["0"], Page(0, None, NAME))
    assert (nothing.rows.size, list(nothing.has_next)) == (0, [True])
    assert await models.count_of_experiments([other, "0", other]) == [1, 5, 1]


async def test_params_tags_and_metrics_of_models(tested: StoreUnderTest) -> None:
    """Params and tags are sorted by key; a metric has its last value for each run and dataset."""
    run = create_run(tested)
    logged = create_model(tested, "net", run, params={"b": "2", "a": "é"}, tags={"t": ""})
    bare = create_model(tested, "bare")
    run_id = run.info.run_id

    def metric(value: float, step: int, dataset: str | None = None) -> Metric:
        names = {"dataset_name": dataset, "dataset_digest": dataset and f"{dataset}1"}
        return Metric("loss", value, 7, step, model_id=logged.model_id, run_id=run_id, **names)

    tested.client.log_batch(run_id, metrics=[metric(0.5, 0), metric(0.25, 2), metric(1.0, 1)])
    tested.client.log_batch(run_id, metrics=[metric(math.inf, 4, "train"), metric(2.0, 3, "train")])
    ids = [bare.model_id, logged.model_id]
    models = tested.port.models
    assert mapping_by_parent(await models.params(ids)) == [{}, {"a": "é", "b": "2"}]
    assert mapping_by_parent(await models.tags(ids)) == [{}, {"t": ""}]
    result = rows_by_parent(
        await models.metrics(ids), *("key", "value", "non_finite", "step", "run_id"), "dataset_name"
    )
    assert result[0] == []
    assert result[1] == [
        ("loss", 0.25, None, 2, run_id, None),
        ("loss", None, "POSITIVE_INFINITY", 4, run_id, "train"),
    ]


async def test_datasets_of_runs(tested: StoreUnderTest) -> None:
    """A run's datasets are sorted by name, with the context from a tag; most columns may be missing."""
    one, none = create_run(tested).info.run_id, create_run(tested).info.run_id
    context = [InputTag("mlflow.data.context", "training"), InputTag("other", "x")]
    inputs = [
        DatasetInput(Dataset("val", "d2", "local", "{}"), []),
        DatasetInput(Dataset("train", "d1", "http", '{"url": "u"}', "[]", '{"rows": 3}'), context),
    ]
    tested.client.log_inputs(one, inputs)
    columns = ("name", "digest", "source_type", "source", "schema", "profile", "context")
    result = await tested.port.models.datasets([none, one, one], frozenset(columns))
    train = ("train", "d1", "http", '{"url": "u"}', "[]", '{"rows": 3}', "training")
    val = ("val", "d2", "local", "{}", None, None, None)
    assert rows_by_parent(result, *columns) == [[], [train, val], [train, val]]


async def test_no_parents_have_no_rows(tested: StoreUnderTest) -> None:
    """A call without parents returns no rows and no error."""
    models = tested.port.models
    assert (await models.of_runs([], NAME)).spans == []
    assert (await models.by_id([], NAME)).index == []
    assert (await models.datasets([], NAME)).spans == []
    assert (await models.of_experiments([], Page(5, None, NAME))).spans == []
    assert list(await models.count_of_experiments([])) == []


async def test_invalid_ids_are_refused_before_a_call(tested: StoreUnderTest) -> None:
    """An invalid id is refused before the store is called, because it becomes a part of a URL."""
    models = tested.port.models
    for invalid_id in ("../x", "", "m-1\x00", "m-1\n", "a/b", "x" * 300):
        with pytest.raises(BadUserInput, match="is not the id of a logged model"):
            await models.by_id([invalid_id], NAME)
        with pytest.raises(BadUserInput, match="is not a run id"):
            await models.of_runs([invalid_id], NAME)
        with pytest.raises(BadUserInput, match="is not an experiment id"):
            await models.of_experiments([invalid_id], Page(5, None, NAME))


async def test_invalid_model_position_is_refused(tested: StoreUnderTest) -> None:
    """A position of another form is refused."""
    for position in ([], ["x"], [None, None], [1, 2, 3], [{}, 0]):
        with pytest.raises(BadUserInput):
            await tested.port.models.of_experiments(["0"], Page(5, position, NAME))


async def test_many_models_are_looked_up_in_few_calls(
    tested: StoreUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many models are looked up by a search if the store has one, otherwise one by one."""
    monkeypatch.setattr(model_reader, "_MAX_SINGLE_LOOKUPS", 2)
    logged = [create_model(tested, f"m{number}") for number in range(4)]
    ids = [model.model_id for model in logged]
    result = await tested.port.models.by_id([*ids, "m-nothing"], NAME)
    assert row_by_parent(result, "name") == ["m0", "m1", "m2", "m3", None]
    if tested.kind == "server":
        assert tested.port.calls["search_logged_models"] == 1  # type: ignore[union-attr]
        assert tested.port.calls["get_logged_model"] == 0  # type: ignore[union-attr]
