"""Groups of runs, counted and summarized by the database: a statement for each."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, false, func, select

from gql_server.stores.group_results import GroupValues, SummaryRow, as_groups
from gql_server.stores.sql.comparisons import one_of_texts
from gql_server.stores.sql.dialect import by_code_point, same_text, storable
from gql_server.stores.sql.search_conditions import Conditions
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.tables import LATEST_METRICS, PARAMS, RUN_COLUMNS, RUN_DURATION, RUNS, TAGS
from schema.ports.errors import BadUserInput
from schema.ports.non_finite import LARGEST_FLOAT
from schema.ports.tracking import MAX_SUMMABLE, GroupBy, Grouping, Groups

_LOGGED: Final = {"param": PARAMS, "tag": TAGS}
_TOO_SMALL: Final = 1e-160


@dataclass(frozen=True, slots=True)
class _Key:
    """One key to group by: its value, what has to be joined for it, and how its values are shown."""

    value: ColumnElement[Any]
    by: GroupBy
    joined: tuple[FromClause, ColumnElement[bool]] | None = None

    def apart(self, dialect: str, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return what tells the key's values apart, whatever the collation."""
        return by_code_point(dialect, value) if self.value.type.python_type is str else value

    def shown(self, value: Any) -> Any:
        """Return a value as the port has it."""
        if value is None:
            return None
        if self.by == GroupBy("attribute", "duration"):
            return value / 1000
        return str(value) if self.by == GroupBy("attribute", "experiment_id") else value


def read_groups(reading: Session, grouping: Grouping, conditions: Conditions, most: int) -> Groups:
    """Return the groups of the runs that meet the conditions; raise `LimitExceeded` for more than `most`."""
    keys = [_key(reading.dialect, by) for by in grouping.by]
    runs: FromClause = RUNS
    for key in keys:
        if key.joined is not None:
            runs = runs.outerjoin(*key.joined)
    counts = _counts(reading, keys, select(*_labelled(keys)).select_from(runs).where(*conditions), most)
    summaries: dict[GroupValues, list[SummaryRow]] = defaultdict(list)
    if grouping.metrics != ():
        statement = _finite_values(reading.dialect, keys, runs, grouping.metrics).where(*conditions)
        for row in reading.rows(_spread(reading.dialect, keys, statement).limit(most + 1)):
            summaries[_shown(keys, row)].append(_summary(*row[len(keys) :]))
    return as_groups(grouping, counts, summaries, most)


def _key(dialect: str, by: GroupBy) -> _Key:
    if by.by == "attribute":
        columns = {**RUN_COLUMNS, "duration": RUN_DURATION}
        return _Key(columns[by.key], by)
    if not storable(by.key):
        message = f"The {by.by} to group by has a key that a database cannot hold."
        raise BadUserInput(message)
    logged = _LOGGED[by.by].alias()
    named = and_(logged.c.run_uuid == RUNS.c.run_uuid, same_text(dialect, logged.c.key, by.key))
    return _Key(logged.c.value, by, (logged, named))


def _labelled(keys: Sequence[_Key]) -> list[ColumnElement[Any]]:
    return [key.value.label(f"k{place}") for place, key in enumerate(keys)] or [RUNS.c.run_uuid]


def _shown(keys: Sequence[_Key], row: Row) -> GroupValues:
    return tuple(key.shown(value) for key, value in zip(keys, row, strict=False))


def _counts(
    reading: Session, keys: Sequence[_Key], statement: Select[Any], most: int
) -> dict[GroupValues, int]:
    runs = statement.subquery()
    columns = list(runs.c)[: len(keys)]
    apart = [key.apart(reading.dialect, column) for key, column in zip(keys, columns, strict=True)]
    # The least of texts that are the same to the letter is that text.
    counted = select(*map(func.min, columns), func.count()).select_from(runs).group_by(*apart)
    return {_shown(keys, row): int(row[-1]) for row in reading.rows(counted.limit(most + 1))}


def _finite_values(
    dialect: str, keys: Sequence[_Key], runs: FromClause, metrics: Sequence[str] | None
) -> Select[Any]:
    """Select each finite last value, and where it can be summed the mean of its group."""
    last = LATEST_METRICS.c
    small = case((func.abs(last.value) < MAX_SUMMABLE, last.value))
    apart = [key.apart(dialect, key.value) for key in keys]
    mean = func.avg(small).over(partition_by=[*apart, by_code_point(dialect, last.key)])
    labels = [last.key.label("key"), last.value.label("value"), small.label("small"), mean.label("mean")]
    selected = _labelled(keys)[: len(keys)]
    statement = select(*selected, *labels).select_from(
        runs.join(LATEST_METRICS, last.run_uuid == RUNS.c.run_uuid)
    )
    statement = statement.where(last.is_nan == false(), func.abs(last.value) < LARGEST_FLOAT)
    if metrics is None:
        return statement
    return statement.where(one_of_texts(dialect, last.key, metrics))


def _spread(dialect: str, keys: Sequence[_Key], statement: Select[Any]) -> Select[Any]:
    """Summarize the values of each group; deviations are from the mean, since sums of squares lose digits."""
    rows = statement.subquery()
    columns = list(rows.c)[: len(keys)]
    apart = [key.apart(dialect, column) for key, column in zip(keys, columns, strict=True)]
    deviation = rows.c.small - rows.c.mean
    # Postgres raises for a square too small for a float.
    square = case((func.abs(deviation) < _TOO_SMALL, 0.0), else_=deviation * deviation)
    return select(
        *map(func.min, columns),
        func.min(rows.c.key),
        func.count(),
        func.count(rows.c.small),
        func.min(rows.c.value),
        func.max(rows.c.value),
        func.min(rows.c.mean),
        func.sum(square),
    ).group_by(*apart, by_code_point(dialect, rows.c.key))


def _summary(
    key: str, count: int, summed: int, least: float, most: float, mean: float | None, squares: float | None
) -> SummaryRow:
    if summed < count or mean is None or squares is None:
        return SummaryRow(key, count, least, most, None, None)
    return SummaryRow(key, count, least, most, mean, math.sqrt(squares / (count - 1)) if count > 1 else None)
