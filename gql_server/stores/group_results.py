"""Sorted groups of runs in the form of the port."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, TypeAlias

from gql_server.stores.limit_errors import too_many_groups
from gql_server.stores.pushdown.sort import sort_value_function
from schema.ports.table import Many, Span, Table
from schema.ports.tracking import Grouping, Groups

GroupValues: TypeAlias = tuple[Any, ...]
"""A group's value of each key."""


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """The distribution of one metric over the runs of a group."""

    key: str
    count: int
    min: float
    max: float
    mean: float | None
    stddev: float | None


def as_groups(
    grouping: Grouping,
    counts: Mapping[GroupValues, int],
    summaries: Mapping[GroupValues, Sequence[SummaryRow]],
    limit: int,
) -> Groups:
    """Return the groups in their order; raise `LimitExceeded` for more than `limit` groups or summaries."""
    if len(counts) > limit or sum(map(len, summaries.values())) > limit:
        raise too_many_groups(limit)
    if not grouping.by:
        # Without keys there is one group even without runs, as in SQL.
        counts = counts or {(): 0}
    sort_values = [sort_value_function(key.by, key.key) for key in grouping.by]
    ordered = sorted(
        counts,
        # Tuples: the garbage collector looks at each list, and not again at tuples of plain values.
        key=lambda values: tuple(
            (sort_value(value), _text(value)) for sort_value, value in zip(sort_values, values, strict=True)
        ),
    )
    rows: list[SummaryRow] = []
    spans: list[Span] = []
    for values in ordered:
        start = len(rows)
        rows += sorted(summaries.get(values, ()), key=attrgetter("key"))
        spans.append((start, len(rows)))
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in fields(SummaryRow)}
    metrics = Many(Table(len(rows), columns), spans)
    return Groups(ordered, [counts[values] for values in ordered], metrics)


def _text(value: Any) -> str:
    """Return the key that sorts groups whose values are the same number in different notations."""
    return value if isinstance(value, str) else ""
