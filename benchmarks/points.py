"""Metric histories as columns, the form in which the readers return points."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Columns = tuple[list[int], list[int], list[float]]


@dataclass(frozen=True, slots=True)
class Points:
    """The points of several series: `ends` has the end position of each series of `keys`."""

    keys: list[tuple[str, str]]
    ends: list[int]
    steps: list[int]
    timestamps: list[int]
    values: list[float]

    def split(self, column: list[Any]) -> list[list[Any]]:
        """Split a column of the points into one list for each series."""
        return [column[start:stop] for start, stop in pairwise([0, *self.ends])]


def sorted_by_time(points: Points) -> Points:
    """Return points that are sorted by step, sorted by step and time.

    Equal steps in a series are rare: finding them takes less time than a sort by two keys in the database.
    """
    for start, stop in pairwise([0, *points.ends]):
        if len(set(points.steps[start:stop])) < stop - start:
            _sort(points, slice(start, stop))
    return points


def _sort(points: Points, part: slice) -> None:
    rows = sorted(zip(points.steps[part], points.timestamps[part], points.values[part], strict=True))
    points.steps[part], points.timestamps[part], points.values[part] = map(list, zip(*rows, strict=True))
