"""Params and tags: text under a key."""

from collections.abc import Awaitable, Callable, Collection

import strawberry

from schema.ports.table import Many, Span, Table
from schema.types.arguments import given


@strawberry.type(description="A parameter of a run, such as a learning rate: text under a key, logged once.")
class Param:
    """MLflow's Param."""

    key: str = strawberry.field(description="The name that it was logged under.")
    value: str = strawberry.field(description="The value, always as text.")


@strawberry.type(description="A tag of a run or an experiment: text under a key, which may change.")
class Tag:
    """MLflow's RunTag and ExperimentTag."""

    key: str = strawberry.field(description="The tag's name; MLflow's own begin with mlflow.")
    value: str = strawberry.field(description="The value, always as text.")


async def all_of(
    table: Table,
    column: str,
    keys: list[str] | None,
    read: Callable[[Collection[str] | None], Awaitable[Many]],
) -> Many:
    """Return what each row has under the keys, or under all; `read` is asked unless it came with the rows."""
    keys = given(keys)
    along = table.columns.get(column)
    if not isinstance(along, Many):
        return await read(None if keys is None else frozenset(keys))
    return along if keys is None else _under(along, frozenset(keys))


async def value_of(
    table: Table, column: str, key: str, read: Callable[[Collection[str] | None], Awaitable[Many]]
) -> list[str | None]:
    """Return each row's value under one key, or None."""
    found = await all_of(table, column, [key], read)
    values = found.rows["value"]
    return [values[start] if stop > start else None for start, stop in found.spans]


def _under(along: Many, keys: frozenset[str]) -> Many:
    rows = along.rows
    spans: list[Span] = []
    kept: list[int] = []
    for start, stop in along.spans:
        first = len(kept)
        kept.extend(place for place in range(start, stop) if rows["key"][place] in keys)
        spans.append((first, len(kept)))
    columns = {name: [rows[name][place] for place in kept] for name in rows.columns}
    return Many(Table(len(kept), columns), spans)
