"""Histories as columns: the form in which the limit's readers hand points over."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Columns = tuple[list[int], list[int], list[float]]


@dataclass(frozen=True, slots=True)
class Points:
    """The points of many series: `ends` says how far each series of `keys` goes, beginning at 0."""

    keys: list[tuple[str, str]]
    ends: list[int]
    steps: list[int]
    timestamps: list[int]
    values: list[float]

    def cut(self, column: list[Any]) -> list[list[Any]]:
        """Cut a column as long as the points into one list for each series."""
        return [column[start:stop] for start, stop in pairwise([0, *self.ends])]


def in_order(points: Points) -> Points:
    """Return points that came by step as points by step and time.

    Equal steps in a series are rare, and to look for them costs less than a database's sort by two keys.
    """
    for start, stop in pairwise([0, *points.ends]):
        if len(set(points.steps[start:stop])) < stop - start:
            _sort(points, slice(start, stop))
    return points


def _sort(points: Points, part: slice) -> None:
    rows = sorted(zip(points.steps[part], points.timestamps[part], points.values[part], strict=True))
    points.steps[part], points.timestamps[part], points.values[part] = map(list, zip(*rows, strict=True))
