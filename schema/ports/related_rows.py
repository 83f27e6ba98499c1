"""Reading the rows that belong to the rows of a table, without requesting them twice.

What a store returned with the rows, as a `Many` column, is taken from there at once. Otherwise the result is
awaitable, because the store has to be called.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from inspect import isawaitable
from typing import Literal, TypeAlias, TypeVar

from schema.ports.table import Many, One, Span, Table
from schema.ports.tracking import Tracking

RunDataKind: TypeAlias = Literal["params", "tags", "metrics"]
"""The kinds of data that runs log: columns of runs, and methods of `Tracking`."""

Values: TypeAlias = list[str | None]
"""A value for each parent, or None."""

_T = TypeVar("_T")


async def rows_by_key(keys: Sequence[str | None], look_up: Callable[[list[str]], Awaitable[One]]) -> One:
    """Return the row of each parent by its key. Look up each distinct key once; a None key has no row."""
    distinct = list(dict.fromkeys(key for key in keys if key is not None))
    if not distinct:
        return One(Table(0, {}), [None] * len(keys))
    result = await look_up(distinct)
    indexes = dict(zip(distinct, result.index, strict=True))
    return One(result.rows, [None if key is None else indexes[key] for key in keys])


def related_rows(
    table: Table,
    column: str,
    keys: Collection[str] | None,
    read: Callable[[Collection[str] | None], Awaitable[Many]],
) -> Many | Awaitable[Many]:
    """Return the params, tags or metrics of each row under these keys; None selects all keys.

    Call `read` only if the store did not return all of them with the rows.
    """
    selected = None if keys is None else frozenset(keys)
    related = table.columns.get(column)
    if not isinstance(related, Many) or not related.covers(selected):
        return read(selected)
    return related if selected is None or selected == related.keys else _with_keys(related, selected)


def related_row(
    table: Table, column: str, key: str, read: Callable[[Collection[str] | None], Awaitable[Many]]
) -> One | Awaitable[One]:
    """Return the param, tag or metric of each row under one key."""
    related = table.columns.get(column)
    if isinstance(related, Many) and related.covers(frozenset((key,))):
        return _chosen(related, related.rows_with_key(key))
    return _first_rows(read(frozenset((key,))))


def related_values(
    table: Table, column: str, key: str, read: Callable[[Collection[str] | None], Awaitable[Many]]
) -> Values | Awaitable[Values]:
    """Return the value of each row's param or tag under one key, or None."""
    row = related_row(table, column, key, read)
    return _values(row) if isinstance(row, One) else _values_later(row)


def run_data(
    tracking: Tracking, runs: Table, kind: RunDataKind, keys: Collection[str] | None = None
) -> Many | Awaitable[Many]:
    """Return the params, tags or metrics of runs under these keys; None selects all keys."""
    return related_rows(runs, kind, keys, _reader(tracking, runs, kind))


def run_values(
    tracking: Tracking, runs: Table, kind: Literal["params", "tags"], key: str
) -> Values | Awaitable[Values]:
    """Return the value that each run has under one key of its params or tags, or None."""
    return related_values(runs, kind, key, _reader(tracking, runs, kind))


def run_metric(tracking: Tracking, runs: Table, key: str) -> One | Awaitable[One]:
    """Return the metric of each run under one key, or None."""
    return related_row(runs, "metrics", key, _reader(tracking, runs, "metrics"))


async def settled(result: _T | Awaitable[_T]) -> _T:
    """Return a result that may be awaitable."""
    return await result if isawaitable(result) else result


def _reader(
    tracking: Tracking, runs: Table, kind: RunDataKind
) -> Callable[[Collection[str] | None], Awaitable[Many]]:
    def read(keys: Collection[str] | None) -> Awaitable[Many]:
        method = {"params": tracking.params, "tags": tracking.tags, "metrics": tracking.metrics}[kind]
        return method(runs["run_id"], keys)

    return read


async def _first_rows(reading: Awaitable[Many]) -> One:
    many = await reading
    return _chosen(many, [start if stop > start else None for start, stop in many.spans])


async def _values_later(reading: Awaitable[One]) -> Values:
    return _values(await reading)


def _values(one: One) -> Values:
    values = one.rows["value"]
    return [None if row is None else values[row] for row in one.index]


def _chosen(many: Many, index: Sequence[int | None]) -> One:
    """Return these rows of a table, without the others: a table is completed as a whole."""
    chosen = [row for row in index if row is not None]
    rows = many.rows
    if len(chosen) == rows.size:
        return One(rows, index)
    numbers = iter(range(len(chosen)))
    return One(_select(rows, chosen), [None if row is None else next(numbers) for row in index])


def _with_keys(related: Many, keys: frozenset[str]) -> Many:
    row_keys = related.rows["key"]
    spans: list[Span] = []
    selected: list[int] = []
    for start, stop in related.spans:
        first = len(selected)
        selected += [row for row in range(start, stop) if row_keys[row] in keys]
        spans.append((first, len(selected)))
    return Many(_select(related.rows, selected), spans, keys)


def _select(rows: Table, selected: Sequence[int]) -> Table:
    columns = {name: [column[row] for row in selected] for name, column in rows.columns.items()}  # type: ignore[index]
    return Table(len(selected), columns)
