"""MLflow's entities as the columns of the port."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from mlflow.entities import Experiment, Metric, Run
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from schema.ports.store_kind import StoreKind
from schema.ports.table import Column, Many, Span, Table

_Parent = TypeVar("_Parent")
Keys: TypeAlias = Collection[str] | None
Readers: TypeAlias = Mapping[str, Callable[[Any], Any]]

_MOST = 1.7976931348623157e308
"""The largest float; SqlAlchemyStore writes it for an infinity, and never turns it back."""

LARGEST_IS_INFINITE = frozenset({StoreKind.SQL, StoreKind.MLFLOW_SERVER, StoreKind.AZURE_ML})

_RUN: Readers = {
    "run_id": lambda run: run.info.run_id,
    "name": lambda run: run.info.run_name or None,
    "status": lambda run: run.info.status.upper(),
    "lifecycle_stage": lambda run: run.info.lifecycle_stage.upper(),
    "user_id": lambda run: run.info.user_id or None,
    # 0 is how the REST API says that there is none.
    "started_at": lambda run: run.info.start_time or None,
    "ended_at": lambda run: run.info.end_time or None,
    "artifact_uri": lambda run: run.info.artifact_uri or None,
    "experiment_id": lambda run: str(run.info.experiment_id),
}
_EXPERIMENT: Readers = {
    "experiment_id": lambda experiment: str(experiment.experiment_id),
    "name": lambda experiment: experiment.name,
    "artifact_location": lambda experiment: experiment.artifact_location or None,
    "lifecycle_stage": lambda experiment: experiment.lifecycle_stage.upper(),
    "created_at": lambda experiment: experiment.creation_time or None,
    "updated_at": lambda experiment: experiment.last_update_time or None,
}

_DATASET: Readers = {
    "name": lambda item: item.dataset.name,
    "digest": lambda item: item.dataset.digest,
    "source_type": lambda item: item.dataset.source_type or None,
    "source": lambda item: item.dataset.source or None,
    "schema": lambda item: item.dataset.schema or None,
    "profile": lambda item: item.dataset.profile or None,
    "context": lambda item: next((tag.value for tag in item.tags if tag.key == MLFLOW_DATASET_CONTEXT), None),
}


def run_table(runs: Sequence[Run], columns: Collection[str], kind: StoreKind) -> Table:
    """Return the runs with the columns asked for, and what was logged to them if it is among them."""
    table = leaves(runs, columns, _RUN)
    if "params" in columns:
        table["params"] = params_of(runs)
    if "tags" in columns:
        table["tags"] = tags_of(runs)
    if "metrics" in columns:
        table["metrics"] = metrics_of(runs, kind)
    if "datasets" in columns:
        table["datasets"] = datasets_of(runs)
    return Table(len(runs), table)


def experiment_table(experiments: Sequence[Experiment], columns: Collection[str]) -> Table:
    """Return the experiments with the columns asked for, their tags if these are among them."""
    table = leaves(experiments, columns, _EXPERIMENT)
    if "tags" in columns:
        table["tags"] = experiment_tags_of(experiments)
    return Table(len(experiments), table)


def params_of(runs: Iterable[Run | None], keys: Keys = None) -> Many:
    """Return each run's params by key; of None, none."""
    return pairs(({} if run is None else run.data.params for run in runs), keys)


def tags_of(runs: Iterable[Run | None], keys: Keys = None) -> Many:
    """Return each run's tags by key; of None, none."""
    return pairs(({} if run is None else run.data.tags for run in runs), keys)


def experiment_tags_of(experiments: Iterable[Experiment | None], keys: Keys = None) -> Many:
    """Return each experiment's tags by key; of None, none."""
    return pairs(({} if experiment is None else experiment.tags for experiment in experiments), keys)


def metrics_of(runs: Iterable[Run | None], kind: StoreKind, keys: Keys = None) -> Many:
    """Return the last value of each run's metrics by key; of None, none."""
    rows, spans = many(runs, lambda run: _last_metrics(run, keys))
    values = [finite(metric.value, kind) for _, metric in rows]
    columns = {
        "run_id": [run_id for run_id, _ in rows],
        "key": [metric.key for _, metric in rows],
        "value": [value for value, _ in values],
        "non_finite": [name for _, name in values],
        "step": [metric.step for _, metric in rows],
        "timestamp": [metric.timestamp for _, metric in rows],
    }
    return Many(Table(len(rows), columns), spans)


def datasets_of(runs: Iterable[Run | None]) -> Many:
    """Return the datasets that each run read, by name and digest; of None, none."""
    rows, spans = many(runs, _datasets)
    return Many(Table(len(rows), leaves(rows, _DATASET, _DATASET)), spans)


def points_of(
    histories: Iterable[Iterable[Metric]], kind: StoreKind, from_step: int | None, to_step: int | None
) -> Many:
    """Return the points of each history between two steps.

    They are sorted by step, timestamp and value, NaN behind the other values, whatever the store's own order.
    """
    least, most = -math.inf if from_step is None else from_step, math.inf if to_step is None else to_step
    rows, spans = many(
        histories,
        lambda history: sorted((point for point in history if least <= point.step <= most), key=_place),
    )
    values = [finite(metric.value, kind) for metric in rows]
    columns = {
        "step": [metric.step for metric in rows],
        "timestamp": [metric.timestamp for metric in rows],
        "value": [value for value, _ in values],
        "non_finite": [name for _, name in values],
    }
    return Many(Table(len(rows), columns), spans)


def leaves(entities: Sequence[Any], columns: Collection[str], readers: Readers) -> dict[str, Column]:
    """Return the columns that were asked for, of those that there are readers for."""
    return {name: [read(entity) for entity in entities] for name, read in readers.items() if name in columns}


def pairs(parents: Iterable[Mapping[str, str]], keys: Keys = None) -> Many:
    """Return each parent's keys and values by key."""
    rows, spans = many(
        parents, lambda pairs: sorted(pair for pair in pairs.items() if keys is None or pair[0] in keys)
    )
    columns = {"key": [key for key, _ in rows], "value": [value for _, value in rows]}
    return Many(Table(len(rows), columns), spans)


def many(
    parents: Iterable[_Parent], children: Callable[[_Parent], Iterable[Any]]
) -> tuple[list[Any], list[Span]]:
    """Return the children of all parents in one list, and which of them are whose."""
    rows: list[Any] = []
    spans = []
    for parent in parents:
        start = len(rows)
        rows.extend(children(parent))
        spans.append((start, len(rows)))
    return rows, spans


def _datasets(run: Run | None) -> list[Any]:
    inputs = run.inputs.dataset_inputs if run is not None and run.inputs else []
    return sorted(inputs, key=lambda item: (item.dataset.name, item.dataset.digest))


def _last_metrics(run: Run | None, keys: Keys) -> list[tuple[str, Metric]]:
    if run is None:
        return []
    # RunData.metrics has the values alone; the entities are what steps and timestamps stand in.
    metrics = run.data._metric_objs  # noqa: SLF001
    chosen = (metric for metric in metrics if keys is None or metric.key in keys)
    return [(run.info.run_id, metric) for metric in sorted(chosen, key=lambda metric: str(metric.key))]


def _place(metric: Metric) -> tuple[int, int, bool, float]:
    missing = math.isnan(metric.value)
    return metric.step, metric.timestamp, missing, 0.0 if missing else metric.value


def finite(value: float, kind: StoreKind) -> tuple[float | None, str | None]:
    """Return the value, or None and what it is instead.

    An MLflow server, Azure's too, is taken for one over a database, as all but a few are; over files, the
    largest float that was really logged is shown as an infinity.
    """
    if math.isnan(value):
        return None, "NAN"
    bound = _MOST if kind in LARGEST_IS_INFINITE else math.inf
    if -bound < value < bound:
        return value, None
    return None, "POSITIVE_INFINITY" if value > 0 else "NEGATIVE_INFINITY"
