"""Columns of points that grow while the points are read."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import ge
from typing import Any

from gql_server.stores.sql.session import Row
from schema.ports.non_finite import split_stored
from schema.ports.table import Many, Span, Table
from schema.ports.tracking import Series


@dataclass(slots=True)
class PointColumns:
    """Steps, timestamps and values of equal length; a value is None where it is not a number."""

    steps: list[Any] = field(default_factory=list)
    timestamps: list[Any] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.steps)

    def extend(self, steps: Iterable[int], timestamps: Iterable[int], values: Iterable[float | None]) -> None:
        """Append points."""
        self.steps += steps
        self.timestamps += timestamps
        self.values += values

    def collect(self, chunks: Iterator[Sequence[Row]], counts: Mapping[Series, int]) -> bool:
        """Append rows grouped by series; return whether there are as many as were counted."""
        before = len(self)
        for chunk in chunks:
            self.extend(*zip(*chunk, strict=True))
        return len(self) - before == sum(counts.values())

    def sort_ties(self, spans: Collection[Span]) -> None:
        """Sort points that share a step by timestamp and value.

        The spans cover all points in their order, and each is sorted by step. If no points share a step, the
        only cost is the comparison of the steps.
        """
        not_ascending = sum(map(ge, self.steps, islice(self.steps, 1, None)))
        starts = [start for start, stop in spans if start and stop > start]
        if not_ascending > sum(self.steps[start - 1] >= self.steps[start] for start in starts):
            for span in spans:
                self._sort(slice(*span))

    def many(self, spans: Sequence[Span]) -> Many:
        """Return the points as lists of the port, one for each span."""
        values, non_finite = split_stored(self.values)
        columns: dict[str, Sequence[Any]] = {"step": self.steps, "timestamp": self.timestamps}
        return Many(Table(len(self), {**columns, "value": values, "non_finite": non_finite}), spans)

    def _sort(self, span: slice) -> None:
        rows = list(zip(self.steps[span], self.timestamps[span], self.values[span], strict=True))
        rows.sort(key=lambda row: (row[0], row[1], row[2] is None, row[2] or 0.0))
        if rows:
            self.steps[span], self.timestamps[span], self.values[span] = zip(*rows, strict=True)
