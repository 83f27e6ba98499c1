"""Datasets and logged models mean the same on every kind of store."""

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
from tests.gql_server.stores.models.conftest import Held
from tests.support.model_answers import each, lists, pairs

LEAVES = frozenset(
    {
        *("model_id", "name", "status", "model_type", "created_at", "updated_at", "artifact_location"),
        *("experiment_id", "source_run_id"),
    }
)
NAME = frozenset({"name"})
FEW = frozenset({"name", "source_run_id"})


def a_run(held: Held, experiment: str = "0") -> Run:
    """Start a run."""
    return held.client.create_run(experiment)


def a_model(held: Held, name: str, run: Run | None = None, **given: Any) -> LoggedModel:
    """Log a model; each is newer than the one before, as far as milliseconds tell."""
    source = run.info.run_id if run else None
    experiment = run.info.experiment_id if run else "0"
    return held.client.create_logged_model(experiment, name, source, **given)


async def test_a_model_has_the_columns_asked_for(held: Held) -> None:
    """Each leaf of a model is what MLflow says, in the port's own names and nulls."""
    run = a_run(held)
    logged = a_model(held, "net", run, model_type="classifier")
    found = await held.port.models.by_id([logged.model_id, "m-nothing"], LEAVES)
    assert found.index == [0, None]
    row: dict[str, Any] = {name: found.rows[name][0] for name in LEAVES}
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
    held.client.finalize_logged_model(logged.model_id, "READY")
    bare = a_model(held, "bare")
    found = await held.port.models.by_id([logged.model_id, bare.model_id], LEAVES)
    assert each(found, "status", "source_run_id", "model_type") == [
        ("READY", run.info.run_id, "classifier"),
        ("PENDING", None, None),
    ]


async def test_models_of_runs(held: Held) -> None:
    """A run's models are those that name it as source and those that it logged as output, each once."""
    one, two, none = (a_run(held) for _ in range(3))
    made = a_model(held, "made", one)
    adopted = a_model(held, "adopted")
    held.client.log_outputs(
        one.info.run_id, [LoggedModelOutput(made.model_id, 1), LoggedModelOutput(adopted.model_id, 2)]
    )
    other = a_model(held, "other", two)
    deleted = a_model(held, "deleted", two)
    held.client.delete_logged_model(deleted.model_id)
    run_ids = [run.info.run_id for run in (one, none, two, one)]
    found = lists(await held.port.models.of_runs(run_ids, FEW), "name", "source_run_id")
    assert [sorted(models) for models in found] == [
        [("adopted", None), ("made", one.info.run_id)],
        [],
        [("other", two.info.run_id)],
        [("adopted", None), ("made", one.info.run_id)],
    ]
    assert other.source_run_id == two.info.run_id


async def test_what_is_deleted(held: Held) -> None:
    """A deleted model is not there; one whose run or experiment is deleted still is.

    A folder of files moves a deleted experiment away, and looks for a model by its id in the others alone.
    """
    experiment = held.client.create_experiment("old")
    run = a_run(held, experiment)
    kept, gone = (a_model(held, name, run) for name in ("kept", "gone"))
    held.client.delete_logged_model(gone.model_id)
    held.client.delete_run(run.info.run_id)
    held.client.delete_experiment(experiment)
    models = held.port.models
    found = await models.by_id([gone.model_id, kept.model_id], FEW)
    there = None if held.kind == "file" else ("kept", run.info.run_id)
    assert each(found, "name", "source_run_id") == [None, there]
    page = await models.of_experiments([experiment], Page(10, None, NAME))
    assert list(page.rows["name"]) == ["kept"]
    assert await models.count_of_experiments([experiment, "0"]) == [1, 0]


async def test_a_page_of_each_experiment(held: Held) -> None:
    """Models come experiment by experiment, the newest first, and any place can be resumed from."""
    other = held.client.create_experiment("other")
    for number in range(5):
        a_model(held, f"m{number}")
    held.client.create_logged_model(other, "apart")
    models = held.port.models
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


async def test_what_is_logged_to_models(held: Held) -> None:
    """Params and tags come by key; of each metric the last value for each run and dataset."""
    run = a_run(held)
    logged = a_model(held, "net", run, params={"b": "2", "a": "é"}, tags={"t": ""})
    bare = a_model(held, "bare")
    run_id = run.info.run_id

    def metric(value: float, step: int, dataset: str | None = None) -> Metric:
        names = {"dataset_name": dataset, "dataset_digest": dataset and f"{dataset}1"}
        return Metric("loss", value, 7, step, model_id=logged.model_id, run_id=run_id, **names)

    held.client.log_batch(run_id, metrics=[metric(0.5, 0), metric(0.25, 2), metric(1.0, 1)])
    held.client.log_batch(run_id, metrics=[metric(math.inf, 4, "train"), metric(2.0, 3, "train")])
    ids = [bare.model_id, logged.model_id]
    models = held.port.models
    assert pairs(await models.params(ids)) == [{}, {"a": "é", "b": "2"}]
    assert pairs(await models.tags(ids)) == [{}, {"t": ""}]
    found = lists(
        await models.metrics(ids), *("key", "value", "non_finite", "step", "run_id"), "dataset_name"
    )
    assert found[0] == []
    assert found[1] == [
        ("loss", 0.25, None, 2, run_id, None),
        ("loss", None, "POSITIVE_INFINITY", 4, run_id, "train"),
    ]


async def test_datasets_of_runs(held: Held) -> None:
    """A run's datasets come by name, with the context that MLflow keeps in a tag; all but names may lack."""
    one, none = a_run(held).info.run_id, a_run(held).info.run_id
    context = [InputTag("mlflow.data.context", "training"), InputTag("other", "x")]
    inputs = [
        DatasetInput(Dataset("val", "d2", "local", "{}"), []),
        DatasetInput(Dataset("train", "d1", "http", '{"url": "u"}', "[]", '{"rows": 3}'), context),
    ]
    held.client.log_inputs(one, inputs)
    columns = ("name", "digest", "source_type", "source", "schema", "profile", "context")
    found = await held.port.models.datasets([none, one, one], frozenset(columns))
    train = ("train", "d1", "http", '{"url": "u"}', "[]", '{"rows": 3}', "training")
    val = ("val", "d2", "local", "{}", None, None, None)
    assert lists(found, *columns) == [[], [train, val], [train, val]]


async def test_nothing_asked_is_nothing(held: Held) -> None:
    """No parents have no children, and that is no error."""
    models = held.port.models
    assert (await models.of_runs([], NAME)).spans == []
    assert (await models.by_id([], NAME)).index == []
    assert (await models.datasets([], NAME)).spans == []
    assert (await models.of_experiments([], Page(5, None, NAME))).spans == []
    assert list(await models.count_of_experiments([])) == []


async def test_ids_that_cannot_be(held: Held) -> None:
    """An id of another form is refused before a store is asked; it would become part of an address."""
    models = held.port.models
    for own in ("../x", "", "m-1\x00", "m-1\n", "a/b", "x" * 300):
        with pytest.raises(BadUserInput, match="is not the id of a logged model"):
            await models.by_id([own], NAME)
        with pytest.raises(BadUserInput, match="is not a run id"):
            await models.of_runs([own], NAME)
        with pytest.raises(BadUserInput, match="is not an experiment id"):
            await models.of_experiments([own], Page(5, None, NAME))


async def test_a_position_that_was_tampered_with(held: Held) -> None:
    """A place of another form is refused, not misread."""
    for place in ([], ["x"], [None, None], [1, 2, 3], [{}, 0]):
        with pytest.raises(BadUserInput):
            await held.port.models.of_experiments(["0"], Page(5, place, NAME))


async def test_many_models_are_looked_up_in_few_calls(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a few models are searched for where a store can, and found one by one elsewhere."""
    monkeypatch.setattr(model_reader, "_MAX_SINGLE_LOOKUPS", 2)
    logged = [a_model(held, f"m{number}") for number in range(4)]
    ids = [model.model_id for model in logged]
    found = await held.port.models.by_id([*ids, "m-nothing"], NAME)
    assert each(found, "name") == ["m0", "m1", "m2", "m3", None]
    if held.kind == "server":
        assert held.port.calls["search_logged_models"] == 1  # type: ignore[union-attr]
        assert held.port.calls["get_logged_model"] == 0  # type: ignore[union-attr]
