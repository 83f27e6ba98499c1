"""Columns of points that grow while the points are read."""

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gql_server.stores.point_arrays import (
    INTEGERS,
    NUMBERS,
    POINT,
    PointArray,
    non_finite_split,
    with_infinities,
)
from gql_server.stores.sql.session import Row
from schema.ports.table import Many, Span, Table
from schema.ports.tracking import Series


@dataclass(slots=True)
class PointColumns:
    """Steps, timestamps and values of equal length; a value is NaN where it is not a number.

    A point takes 24 bytes. Python objects take 120.
    """

    steps: "array[int]" = field(default_factory=lambda: array(INTEGERS))
    timestamps: "array[int]" = field(default_factory=lambda: array(INTEGERS))
    values: "array[float]" = field(default_factory=lambda: array(NUMBERS))

    def __len__(self) -> int:
        return len(self.steps)

    def extend(self, steps: NDArray[Any], timestamps: NDArray[Any], values: NDArray[Any]) -> None:
        """Append points."""
        self.steps.frombytes(steps.astype(np.int64).tobytes())
        self.timestamps.frombytes(timestamps.astype(np.int64).tobytes())
        self.values.frombytes(values.astype(np.float64).tobytes())

    def collect(self, chunks: Iterator[Sequence[Row]], counts: Mapping[Series, int]) -> bool:
        """Append rows grouped by series; return whether there are as many as were counted."""
        before = len(self)
        for chunk in chunks:
            steps, timestamps, values = zip(*chunk, strict=True)
            self.steps.extend(steps)
            self.timestamps.extend(timestamps)
            self.values.extend(_floats(values))
        return len(self) - before == sum(counts.values())

    def sort_ties(self, spans: Collection[Span]) -> None:
        """Sort points that share a step by timestamp and value, a NaN after the numbers.

        The spans cover all points in their order, and each is sorted by step. If no points share a step, the
        only cost is the comparison of the steps.
        """
        steps = np.asarray(self.steps)
        not_ascending = np.flatnonzero(steps[1:] <= steps[:-1]) + 1
        filled = [span for span in spans if span[0] < span[1]]
        starts = np.array([start for start, _ in filled], np.int64)
        ties = np.setdiff1d(not_ascending, starts, assume_unique=True)
        for index in np.unique(np.searchsorted(starts, ties, side="right") - 1).tolist():
            self._sort(slice(*filled[index]))

    def array(self, span: Span) -> PointArray:
        """Return the points of a span as an array."""
        part = slice(*span)
        points = np.empty(span[1] - span[0], POINT)
        points["step"], points["timestamp"] = self.steps[part], self.timestamps[part]
        points["value"] = self.values[part]
        with_infinities(points["value"])
        return points

    def many(self, spans: Sequence[Span]) -> Many:
        """Return the points as lists of the port, one for each span."""
        with_infinities(np.asarray(self.values))
        values, non_finite = non_finite_split(self.values)
        columns: dict[str, Sequence[Any]] = {"step": self.steps, "timestamp": self.timestamps}
        return Many(Table(len(self), {**columns, "value": values, "non_finite": non_finite}), spans)

    def _sort(self, span: slice) -> None:
        columns = [np.asarray(column)[span] for column in (self.values, self.timestamps, self.steps)]
        order = np.lexsort(columns)
        for column in columns:
            column[:] = column[order]


def _floats(values: Iterable[float | None]) -> "array[float]":
    try:
        return array(NUMBERS, values)  # type: ignore[arg-type]  # the usual column has no None
    except TypeError:
        return array(NUMBERS, [np.nan if value is None else value for value in values])
