"""MLflow's entities of the tracking store as the port's columns."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from mlflow.entities import Experiment, Metric, Run
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from schema.ports.non_finite import split_value
from schema.ports.store_kind import StoreKind
from schema.ports.table import Column, Many, Span, Table

_Parent = TypeVar("_Parent")
Keys: TypeAlias = Collection[str] | None
"""Keys to return; None returns all."""
ColumnReaders: TypeAlias = Mapping[str, Callable[[Any], Any]]
"""Functions that return an entity's value of each column."""

LARGEST_IS_INFINITE = frozenset({StoreKind.SQL, StoreKind.MLFLOW_SERVER, StoreKind.AZURE_ML})
"""Stores that return the largest float for an infinity, because SqlAlchemyStore writes it instead."""

_RUN_READERS: ColumnReaders = {
    "run_id": lambda run: run.info.run_id,
    "name": lambda run: run.info.run_name or None,
    "status": lambda run: run.info.status.upper(),
    "lifecycle_stage": lambda run: run.info.lifecycle_stage.upper(),
    "user_id": lambda run: run.info.user_id or None,
    # The REST API returns 0 for no time.
    "started_at": lambda run: run.info.start_time or None,
    "ended_at": lambda run: run.info.end_time or None,
    "artifact_uri": lambda run: run.info.artifact_uri or None,
    "experiment_id": lambda run: str(run.info.experiment_id),
}
_EXPERIMENT_READERS: ColumnReaders = {
    "experiment_id": lambda experiment: str(experiment.experiment_id),
    "name": lambda experiment: experiment.name,
    "artifact_location": lambda experiment: experiment.artifact_location or None,
    "lifecycle_stage": lambda experiment: experiment.lifecycle_stage.upper(),
    "created_at": lambda experiment: experiment.creation_time or None,
    "updated_at": lambda experiment: experiment.last_update_time or None,
}

_DATASET_READERS: ColumnReaders = {
    "name": lambda item: item.dataset.name,
    "digest": lambda item: item.dataset.digest,
    "source_type": lambda item: item.dataset.source_type or None,
    "source": lambda item: item.dataset.source or None,
    "schema": lambda item: item.dataset.schema or None,
    "profile": lambda item: item.dataset.profile or None,
    "context": lambda item: next((tag.value for tag in item.tags if tag.key == MLFLOW_DATASET_CONTEXT), None),
}


def run_table(runs: Sequence[Run], columns: Collection[str], kind: StoreKind) -> Table:
    """Return the requested columns of runs; these may include params, tags, metrics and datasets."""
    table = read_columns(runs, columns, _RUN_READERS)
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
    """Return the requested columns of experiments; these may include tags."""
    table = read_columns(experiments, columns, _EXPERIMENT_READERS)
    if "tags" in columns:
        table["tags"] = experiment_tags_of(experiments)
    return Table(len(experiments), table)


def params_of(runs: Iterable[Run | None], keys: Keys = None) -> Many:
    """Return each run's params by key; an empty list for None."""
    return key_value_lists(({} if run is None else run.data.params for run in runs), keys)


def tags_of(runs: Iterable[Run | None], keys: Keys = None) -> Many:
    """Return each run's tags by key; an empty list for None."""
    return key_value_lists(({} if run is None else run.data.tags for run in runs), keys)


def experiment_tags_of(experiments: Iterable[Experiment | None], keys: Keys = None) -> Many:
    """Return each experiment's tags by key; an empty list for None."""
    return key_value_lists(
        ({} if experiment is None else experiment.tags for experiment in experiments), keys
    )


def metrics_of(runs: Iterable[Run | None], kind: StoreKind, keys: Keys = None) -> Many:
    """Return the last value of each run's metrics by key; an empty list for None."""
    rows, spans = flattened(runs, lambda run: _last_metrics(run, keys))
    values = [split_metric_value(metric.value, kind) for _, metric in rows]
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
    """Return each run's input datasets by name and digest; an empty list for None."""
    rows, spans = flattened(runs, _datasets)
    return Many(Table(len(rows), read_columns(rows, _DATASET_READERS, _DATASET_READERS)), spans)


def points_of(
    histories: Iterable[Iterable[Metric]], kind: StoreKind, from_step: int | None, to_step: int | None
) -> Many:
    """Return the points of each history between two steps.

    They are sorted by step, timestamp and value, NaN last, independent of the store's order.
    """
    first = -math.inf if from_step is None else from_step
    last = math.inf if to_step is None else to_step
    rows, spans = flattened(
        histories,
        lambda history: sorted(
            (point for point in history if first <= point.step <= last), key=_point_sort_key
        ),
    )
    values = [split_metric_value(metric.value, kind) for metric in rows]
    columns = {
        "step": [metric.step for metric in rows],
        "timestamp": [metric.timestamp for metric in rows],
        "value": [value for value, _ in values],
        "non_finite": [name for _, name in values],
    }
    return Many(Table(len(rows), columns), spans)


def read_columns(
    entities: Sequence[Any], columns: Collection[str], readers: ColumnReaders
) -> dict[str, Column]:
    """Return the requested columns that have a reader."""
    return {name: [read(entity) for entity in entities] for name, read in readers.items() if name in columns}


def key_value_lists(parents: Iterable[Mapping[str, str]], keys: Keys = None) -> Many:
    """Return each parent's keys and values by key."""
    rows, spans = flattened(
        parents, lambda pairs: sorted(pair for pair in pairs.items() if keys is None or pair[0] in keys)
    )
    columns = {"key": [key for key, _ in rows], "value": [value for _, value in rows]}
    return Many(Table(len(rows), columns), spans)


def flattened(
    parents: Iterable[_Parent], children: Callable[[_Parent], Iterable[Any]]
) -> tuple[list[Any], list[Span]]:
    """Return the children of all parents in one list, and the span of each parent."""
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
    # RunData.metrics has only the values; steps and timestamps are in the entities.
    metrics = run.data._metric_objs  # noqa: SLF001
    selected = (metric for metric in metrics if keys is None or metric.key in keys)
    return [(run.info.run_id, metric) for metric in sorted(selected, key=lambda metric: str(metric.key))]


def _point_sort_key(metric: Metric) -> tuple[int, int, bool, float]:
    is_nan = math.isnan(metric.value)
    return metric.step, metric.timestamp, is_nan, 0.0 if is_nan else metric.value


def split_metric_value(value: float, kind: StoreKind) -> tuple[float | None, str | None]:
    """Return a finite value and None, or None and the name of the value.

    An MLflow server, Azure's included, is treated as one over a database, as nearly all are. The largest
    float is then returned as an infinity, even if it was logged itself.
    """
    return split_value(value, largest_is_infinite=kind in LARGEST_IS_INFINITE)
