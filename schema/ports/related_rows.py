"""Reading the rows that belong to the rows of a table, without requesting them twice."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Literal, TypeAlias

from schema.ports.table import Many, One, Span, Table
from schema.ports.tracking import Tracking

RunDataKind: TypeAlias = Literal["params", "tags", "metrics"]
"""The kinds of data that runs log: columns of runs, and methods of `Tracking`."""


async def rows_by_key(keys: Sequence[str | None], look_up: Callable[[list[str]], Awaitable[One]]) -> One:
    """Return the row of each parent by its key. Look up each distinct key once; a None key has no row."""
    distinct = list(dict.fromkeys(key for key in keys if key is not None))
    if not distinct:
        return One(Table(0, {}), [None] * len(keys))
    result = await look_up(distinct)
    indexes = dict(zip(distinct, result.index, strict=True))
    return One(result.rows, [None if key is None else indexes[key] for key in keys])


async def related_rows(
    table: Table,
    column: str,
    keys: Collection[str] | None,
    read: Callable[[Collection[str] | None], Awaitable[Many]],
) -> Many:
    """Return the params, tags or metrics of each row under these keys; None selects all keys.

    Call `read` only if the store did not return them with the rows, as a `Many` column of the table.
    """
    related = table.columns.get(column)
    if not isinstance(related, Many):
        return await read(None if keys is None else frozenset(keys))
    return related if keys is None else _with_keys(related, frozenset(keys))


async def run_data(
    tracking: Tracking, runs: Table, kind: RunDataKind, keys: Collection[str] | None = None
) -> Many:
    """Return the params, tags or metrics of runs under these keys; None selects all keys."""
    read = {"params": tracking.params, "tags": tracking.tags, "metrics": tracking.metrics}[kind]
    return await related_rows(runs, kind, keys, lambda selected: read(runs["run_id"], selected))


async def run_values(
    tracking: Tracking, runs: Table, kind: Literal["params", "tags"], key: str
) -> list[str | None]:
    """Return the value that each run has under one key of its params or tags, or None."""
    return first_values(await run_data(tracking, runs, kind, [key]))


def first_values(data: Many) -> list[str | None]:
    """Return the value of the first row of each parent, or None if it has no row."""
    values = data.rows["value"]
    return [values[start] if stop > start else None for start, stop in data.spans]


def _with_keys(related: Many, keys: frozenset[str]) -> Many:
    rows = related.rows
    spans: list[Span] = []
    selected: list[int] = []
    for start, stop in related.spans:
        first = len(selected)
        selected.extend(index for index in range(start, stop) if rows["key"][index] in keys)
        spans.append((first, len(selected)))
    columns = {name: [rows[name][index] for index in selected] for name in rows.columns}
    return Many(Table(len(selected), columns), spans)
