"""The lists of a run as one JSON text, in PostgreSQL."""

from collections.abc import Sequence
from itertools import accumulate, chain, pairwise, repeat
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, cast, func
from sqlalchemy import Table as SqlTable

from gql_server.stores.sql.metric_values import value_of
from schema.ports.non_finite import split_stored
from schema.ports.table import Many, Table


def json_lists(kind: str, table: SqlTable) -> ColumnElement[Any]:
    """Return the aggregate of a run's params, tags or metrics: an array with an array for each column."""
    columns: list[ColumnElement[Any]] = (
        [table.c.key, table.c.step, table.c.timestamp, value_of(table)]
        if kind == "metrics"
        else [table.c.key, func.coalesce(table.c.value, "")]
    )
    return cast(func.json_build_array(*map(func.json_agg, columns)), Text)


def lists_from_json(
    kind: str, run_ids: Sequence[str], texts: Sequence[str], keys: frozenset[str] | None
) -> Many:
    """Return the lists of runs from their texts, each sorted by key; `keys` are those that were read."""
    parsed = [_sorted(orjson.loads(text)) for text in texts]
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


def _sorted(lists: list[Any]) -> Sequence[Sequence[Any]]:
    keys = lists[0]
    if keys is None:
        # The aggregate of no rows.
        return [()] * len(lists)
    if keys == sorted(keys):
        return lists
    return list(zip(*sorted(zip(*lists, strict=True)), strict=True))
