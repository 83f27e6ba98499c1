"""Groups of runs, counted and summarized by the database with one statement each."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, false, func, select

from gql_server.stores.group_results import GroupValues, SummaryRow, as_groups
from gql_server.stores.sql.comparisons import one_of_texts
from gql_server.stores.sql.dialects.dialect import Dialect
from gql_server.stores.sql.search_conditions import Conditions
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.tables import LATEST_METRICS, PARAMS, RUN_COLUMNS, RUN_DURATION, RUNS, TAGS
from gql_server.stores.text_validation import is_storable
from schema.ports.errors import BadUserInput
from schema.ports.non_finite import LARGEST_FLOAT
from schema.ports.tracking import MAX_SUMMABLE, GroupBy, Grouping, Groups

_TABLES: Final = {"param": PARAMS, "tag": TAGS}
_MIN_DEVIATION: Final = 1e-160
"""Postgres raises an error for a square that is too small for a float."""


@dataclass(frozen=True, slots=True)
class _GroupKey:
    """One key to group by: its column, and the table to join for it."""

    value: ColumnElement[Any]
    by: GroupBy
    joined: tuple[FromClause, ColumnElement[bool]] | None = None

    def exact(self, dialect: Dialect, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return an expression that differs for different values of the key, regardless of the collation."""
        return dialect.by_code_point(value) if self.value.type.python_type is str else value

    def converted(self, value: Any) -> Any:
        """Return a value of the key in the form of the port."""
        if value is None:
            return None
        if self.by == GroupBy("attribute", "duration"):
            return value / 1000
        return str(value) if self.by == GroupBy("attribute", "experiment_id") else value


def read_groups(session: Session, grouping: Grouping, conditions: Conditions, limit: int) -> Groups:
    """Return the groups of the runs that meet the conditions; raise `LimitExceeded` for more than `limit`."""
    keys = [_group_key(session.dialect, by) for by in grouping.by]
    runs: FromClause = RUNS
    for key in keys:
        if key.joined is not None:
            runs = runs.outerjoin(*key.joined)
    counts = _counts(session, keys, select(*_labelled(keys)).select_from(runs).where(*conditions), limit)
    summaries: dict[GroupValues, list[SummaryRow]] = defaultdict(list)
    if grouping.metrics != ():
        statement = _finite_values(session.dialect, keys, runs, grouping.metrics).where(*conditions)
        for row in session.rows(_summaries(session.dialect, keys, statement).limit(limit + 1)):
            summaries[_group_values(keys, row)].append(_summary(*row[len(keys) :]))
    return as_groups(grouping, counts, summaries, limit)


def _group_key(dialect: Dialect, by: GroupBy) -> _GroupKey:
    if by.by == "attribute":
        columns = {**RUN_COLUMNS, "duration": RUN_DURATION}
        return _GroupKey(columns[by.key], by)
    if not is_storable(by.key):
        message = f"The {by.by} to group by has a key that a database cannot store."
        raise BadUserInput(message)
    rows = _TABLES[by.by].alias()
    has_key = and_(rows.c.run_uuid == RUNS.c.run_uuid, dialect.same_text(rows.c.key, by.key))
    return _GroupKey(rows.c.value, by, (rows, has_key))


def _labelled(keys: Sequence[_GroupKey]) -> list[ColumnElement[Any]]:
    return [key.value.label(f"k{index}") for index, key in enumerate(keys)] or [RUNS.c.run_uuid]


def _group_values(keys: Sequence[_GroupKey], row: Row) -> GroupValues:
    return tuple(key.converted(value) for key, value in zip(keys, row, strict=False))


def _counts(
    session: Session, keys: Sequence[_GroupKey], statement: Select[Any], limit: int
) -> dict[GroupValues, int]:
    runs = statement.subquery()
    columns = list(runs.c)[: len(keys)]
    exact = [key.exact(session.dialect, column) for key, column in zip(keys, columns, strict=True)]
    # The values of a group are equal, so that their minimum is the value.
    counted = select(*map(func.min, columns), func.count()).select_from(runs).group_by(*exact)
    return {_group_values(keys, row): int(row[-1]) for row in session.rows(counted.limit(limit + 1))}


def _finite_values(
    dialect: Dialect, keys: Sequence[_GroupKey], runs: FromClause, metrics: Sequence[str] | None
) -> Select[Any]:
    """Select each finite last value, and the mean of its group if it can be summed."""
    last = LATEST_METRICS.c
    small = case((func.abs(last.value) < MAX_SUMMABLE, last.value))
    exact = [key.exact(dialect, key.value) for key in keys]
    mean = func.avg(small).over(partition_by=[*exact, dialect.by_code_point(last.key)])
    labels = [last.key.label("key"), last.value.label("value"), small.label("small"), mean.label("mean")]
    selected = _labelled(keys)[: len(keys)]
    statement = select(*selected, *labels).select_from(
        runs.join(LATEST_METRICS, last.run_uuid == RUNS.c.run_uuid)
    )
    statement = statement.where(last.is_nan == false(), func.abs(last.value) < LARGEST_FLOAT)
    if metrics is None:
        return statement
    return statement.where(one_of_texts(dialect, last.key, metrics))


def _summaries(dialect: Dialect, keys: Sequence[_GroupKey], statement: Select[Any]) -> Select[Any]:
    """Summarize the values of each group, with deviations from the mean: sums of squares lose digits."""
    rows = statement.subquery()
    columns = list(rows.c)[: len(keys)]
    exact = [key.exact(dialect, column) for key, column in zip(keys, columns, strict=True)]
    deviation = rows.c.small - rows.c.mean
    square = case((func.abs(deviation) < _MIN_DEVIATION, 0.0), else_=deviation * deviation)
    return select(
        *map(func.min, columns),
        func.min(rows.c.key),
        func.count(),
        func.count(rows.c.small),
        func.min(rows.c.value),
        func.max(rows.c.value),
        func.min(rows.c.mean),
        func.sum(square),
    ).group_by(*exact, dialect.by_code_point(rows.c.key))


def _summary(
    key: str,
    count: int,
    summed: int,
    minimum: float,
    maximum: float,
    mean: float | None,
    squares: float | None,
) -> SummaryRow:
    if summed < count or mean is None or squares is None:
        return SummaryRow(key, count, minimum, maximum, None, None)
    deviation = math.sqrt(squares / (count - 1)) if count > 1 else None
    return SummaryRow(key, count, minimum, maximum, mean, deviation)
