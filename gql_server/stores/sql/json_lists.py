"""The lists of a run as one JSON text, in PostgreSQL."""

from collections.abc import Sequence
from itertools import accumulate, chain, pairwise, repeat
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, cast, func
from sqlalchemy import Table as SqlTable

from gql_server.stores.sql.metric_values import value_of
from gql_server.stores.sql.tables import timestamp_of
from schema.ports.non_finite import split_stored
from schema.ports.table import Many, Table


def json_lists(kind: str, table: SqlTable) -> ColumnElement[Any]:
    """Return the aggregate of a run's params, tags or metrics: an array with an array for each column."""
    columns: list[ColumnElement[Any]] = (
        [table.c.key, table.c.step, timestamp_of(table), value_of(table)]
        if kind == "metrics"
        else [table.c.key, func.coalesce(table.c.value, "")]
    )
    return cast(func.json_build_array(*map(func.json_agg, columns)), Text)


def lists_from_json(
    kind: str, run_ids: Sequence[str], texts: Sequence[str], keys: frozenset[str] | None
) -> Many:
    """Return the lists of runs from their texts, each sorted by key; `keys` are those that were read."""
    parsed = [_columns(orjson.loads(text)) for text in texts]
    names = ("key", "step", "timestamp", "value") if kind == "metrics" else ("key", "value")
    columns: dict[str, Any] = {
        name: list(chain.from_iterable(lists[index] for lists in parsed)) for index, name in enumerate(names)
    }
    sizes = [len(lists[0]) for lists in parsed]
    if kind == "metrics":
        columns["run_id"] = list(chain.from_iterable(map(repeat, run_ids, sizes)))
        columns["value"], columns["non_finite"] = split_stored(columns["value"])
    spans = list(pairwise(accumulate(sizes, initial=0)))
    return Many(Table(len(columns["key"]), columns), spans, keys)


def sorted_by_key(columns: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
    """Return columns in the order of the first, the keys, which differ and are usually in order."""
    keys = columns[0]
    if keys == sorted(keys):
        return columns
    return list(zip(*sorted(zip(*columns, strict=True)), strict=True))


def _columns(lists: list[Any]) -> Sequence[Sequence[Any]]:
    # The aggregate of no rows is null.
    return [()] * len(lists) if lists[0] is None else sorted_by_key(lists)
