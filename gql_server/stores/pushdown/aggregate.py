"""Grouping of runs in this server, for stores that cannot group: counts and summaries of metrics."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gql_server.stores.group_results import GroupValues, SummaryRow, as_groups
from gql_server.stores.pushdown.evaluate import durations, logged_values
from schema.ports.table import Many, Table
from schema.ports.tracking import MAX_SUMMABLE, GroupBy, Grouping, Groups


class RunAggregator:
    """Groups runs that are added one table at a time."""

    def __init__(self, grouping: Grouping) -> None:
        self._grouping = grouping
        self._counts: Counter[GroupValues] = Counter()
        self._metric_values: dict[GroupValues, dict[str, list[float]]] = defaultdict(
            lambda: defaultdict(list)
        )

    @property
    def columns(self) -> set[str]:
        """Return the columns of runs that the grouping reads."""
        columns = {name for key in self._grouping.by for name in _columns(key)}
        return columns | ({"metrics"} if self._grouping.metrics != () else set()) | {"run_id"}

    def add(self, runs: Table) -> None:
        """Add runs to their groups; the table must have the columns in `columns`."""
        keys = [_values(key, runs) for key in self._grouping.by]
        groups: Sequence[GroupValues] = list(zip(*keys, strict=True)) if keys else [()] * runs.size
        self._counts.update(groups)
        if self._grouping.metrics == ():
            return
        metrics: Many = runs["metrics"]
        for group, (start, stop) in zip(groups, metrics.spans, strict=True):
            values = self._metric_values[group]
            for key, value in _finite_metrics(metrics.rows, start, stop):
                if self._grouping.metrics is None or key in self._grouping.metrics:
                    values[key].append(value)

    def groups(self, limit: int) -> Groups:
        """Return the groups of all added runs; raise `LimitExceeded` for more than `limit`."""
        summaries = {group: _summaries(values) for group, values in self._metric_values.items()}
        return as_groups(self._grouping, self._counts, summaries, limit)


def _finite_metrics(metrics: Table, start: int, stop: int) -> Iterator[tuple[str, float]]:
    """Yield the metrics of one run that have a finite value."""
    keys, values = metrics["key"], metrics["value"]
    return ((keys[index], values[index]) for index in range(start, stop) if values[index] is not None)


def _columns(key: GroupBy) -> tuple[str, ...]:
    if key.by != "attribute":
        return (f"{key.by}s",)
    return ("started_at", "ended_at") if key.key == "duration" else (key.key,)


def _values(key: GroupBy, runs: Table) -> Sequence[Any]:
    if key.by != "attribute":
        return logged_values(runs, f"{key.by}s", key.key)
    values: Sequence[Any] = durations(runs) if key.key == "duration" else runs[key.key]
    return values


def _summaries(values_by_key: Mapping[str, Sequence[float]]) -> list[SummaryRow]:
    return [_summary(key, np.asarray(values)) for key, values in values_by_key.items()]


def _summary(key: str, values: Any) -> SummaryRow:
    minimum, maximum = float(values.min()), float(values.max())
    if max(-minimum, maximum) >= MAX_SUMMABLE:
        return SummaryRow(key, values.size, minimum, maximum, None, None)
    deviation = float(values.std(ddof=1)) if values.size > 1 else math.nan
    return SummaryRow(
        key, values.size, minimum, maximum, float(values.mean()), None if math.isnan(deviation) else deviation
    )
