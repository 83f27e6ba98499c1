"""A strategy for the contents of whole stores: any data that MLflow accepts, and a function to log it.

Data that kinds of stores treat differently is excluded: a repeated point (SQL stores have one), the largest
float (SQL stores read it as infinity), a key that is a path prefix of another key (file stores cannot store
both), and experiment names with an apostrophe (file stores cannot create them).
"""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType

_T = TypeVar("_T")
_INT64 = 2**63 - 1
_LATEST = 4_102_444_800_000
"""1 January 2100, in milliseconds."""

Point: TypeAlias = tuple[int, int, float]
"""Step, timestamp and value of a metric."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run to log. It has an end time only if its status is final."""

    name: str
    user: str
    status: str
    started_at: int
    ended_at: int | None
    deleted: bool
    params: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, list[Point]]


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment to log, with its runs. Deleting it deletes its runs too."""

    name: str
    tags: dict[str, str]
    deleted: bool
    runs: list[Run]


@dataclass(frozen=True, slots=True)
class WrittenIds:
    """The ids of the logged experiments and of the runs of each, in order."""

    experiment_ids: list[str]
    run_ids: list[list[str]]


def _no_path_prefix(keys: Collection[str]) -> bool:
    return not any(other.startswith(f"{key}/") for key in keys for other in keys)


def _identity(point: Point) -> tuple[int, int, str]:
    step, timestamp, value = point
    # Adding 0.0 makes -0.0 and 0.0 equal, as in a database. As text, NaN is equal to itself.
    return step, timestamp, str(value + 0.0)


def _folded_name(experiment: Experiment) -> str:
    return experiment.name.casefold()


# MLflow's keys: [/\w.\- :], as normalized paths that do not leave their root.
_key_part = st.text(st.sampled_from("abzAZ059_-é日ß .:"), min_size=1, max_size=8).filter(
    lambda part: part.strip(" .") != "" and not part.startswith("..")
)
_keys = st.lists(_key_part, min_size=1, max_size=3).map("/".join)
_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
_names = st.text(st.characters(categories=["L", "M", "N", "P", "S"]), min_size=1, max_size=20).filter(
    lambda name: name != "Default"
)
# Not 0: MLflow replaces it by the current time.
_times = st.integers(1, _LATEST)
_steps = st.integers(-_INT64 - 1, _INT64) | st.integers(-3, 3)
_values = st.floats(allow_subnormal=False).filter(
    lambda value: not math.isfinite(value) or abs(value) < 1.7e308
)
_points = st.tuples(_steps, st.integers(0, 2) | _times, _values)
_histories = st.lists(_points, min_size=1, max_size=6, unique_by=_identity)


def _by_key(values: st.SearchStrategy[_T]) -> st.SearchStrategy[dict[str, _T]]:
    return st.dictionaries(_keys, values, max_size=4).filter(_no_path_prefix)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Generate a run."""
    status = draw(st.sampled_from(["SCHEDULED", "RUNNING", "FINISHED", "FAILED", "KILLED"]))
    return Run(
        name=draw(_names),
        user=draw(_names),
        status=status,
        started_at=draw(_times),
        ended_at=draw(_times) if status in {"FINISHED", "FAILED", "KILLED"} else None,
        deleted=draw(st.booleans()),
        params=draw(_by_key(_texts)),
        tags=draw(_by_key(_texts)),
        metrics=draw(_by_key(_histories)),
    )


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    """Generate an experiment with up to four runs."""
    return Experiment(
        name=draw(_names.filter(lambda name: "'" not in name)),
        tags=draw(_by_key(_texts)),
        deleted=draw(st.booleans()),
        runs=draw(st.lists(runs(), max_size=4)),
    )


def stores() -> st.SearchStrategy[list[Experiment]]:
    """Generate the contents of a store: up to three experiments whose names differ in more than case."""
    return st.lists(experiments(), max_size=3, unique_by=_folded_name)


def fits_mysql(store: list[Experiment]) -> bool:
    """Return whether MySQL can store the contents: it ignores case and trailing spaces in keys."""
    runs = [run for experiment in store for run in experiment.runs]
    key_sets: list[Collection[str]] = [experiment.tags for experiment in store]
    key_sets += [keys for run in runs for keys in (run.params, run.tags, run.metrics)]
    return all(len({key.rstrip(" ").casefold() for key in keys}) == len(keys) for keys in key_sets)


def write_store(store: list[Experiment], client: MlflowClient) -> WrittenIds:
    """Log the experiments through MLflow and return the ids."""
    written = WrittenIds([], [])
    for experiment in store:
        experiment_id = client.create_experiment(experiment.name, tags=experiment.tags)
        written.experiment_ids.append(experiment_id)
        written.run_ids.append([_write_run(run, experiment_id, client) for run in experiment.runs])
        if experiment.deleted:
            client.delete_experiment(experiment_id)
    return written


def rename_experiments(client: MlflowClient) -> None:
    """Rename all experiments but Default, so that new ones can have their names."""
    for experiment in client.search_experiments(view_type=ViewType.ALL):
        name = f"written before: {experiment.experiment_id}"
        if experiment.experiment_id == "0" or experiment.name == name:
            continue
        if experiment.lifecycle_stage == "deleted":
            client.restore_experiment(experiment.experiment_id)
        client.rename_experiment(experiment.experiment_id, name)


def _write_run(run: Run, experiment_id: str, client: MlflowClient) -> str:
    created = client.create_run(
        experiment_id, start_time=run.started_at, run_name=run.name, tags={"mlflow.user": run.user}
    )
    run_id: str = created.info.run_id
    client.log_batch(
        run_id,
        [
            Metric(key, value, timestamp, step)
            for key, points in run.metrics.items()
            for step, timestamp, value in points
        ],
        [Param(key, value) for key, value in run.params.items()],
        [RunTag(key, value) for key, value in run.tags.items()],
    )
    if run.ended_at is None:
        client.update_run(run_id, run.status)
    else:
        client.set_terminated(run_id, run.status, run.ended_at)
    if run.deleted:
        client.delete_run(run_id)
    return run_id
