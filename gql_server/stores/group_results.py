"""Groups of runs as the port has them, in their order, whatever counted them."""

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
    """How one metric is spread over a group's runs."""

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
    most: int,
) -> Groups:
    """Return the groups in order; raise `LimitExceeded` for more than `most` of them or of summaries."""
    if len(counts) > most or sum(map(len, summaries.values())) > most:
        raise too_many_groups(most)
    if not grouping.by:
        # No runs at all are a group too, as in SQL.
        counts = counts or {(): 0}
    place = [sort_value_function(key.by, key.key) for key in grouping.by]
    ordered = sorted(
        counts,
        key=lambda values: [(of(value), _text(value)) for of, value in zip(place, values, strict=True)],
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
    """Return what decides between groups whose values are the same number in another writing."""
    return value if isinstance(value, str) else ""
