"""Params and tags: text under a key, of many runs or experiments in one statement."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import Select, func, select

from gql_server.stores.sql.dialect import packing
from gql_server.stores.sql.keyed_table import KeyedTable
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.spans import aligned
from schema.ports.table import Many, Span, Table

_Group = tuple[Any, Sequence[str], Sequence[str]]


def read_pairs(
    reading: Session, logged: KeyedTable, owners: Sequence[Any], keys: Collection[str] | None
) -> Many:
    """Return the pairs of each owner, sorted by key: all of them, or those under the keys."""
    all_keys: list[str] = []
    all_values: list[str] = []
    spans: dict[Any, Span] = {}
    for owner, some, values in _groups(reading, logged, owners, keys):
        start = len(all_keys)
        all_keys += some
        all_values += values
        spans[owner] = (start, len(all_keys))
    return Many(Table(len(all_keys), {"key": all_keys, "value": all_values}), aligned(owners, spans))


def _groups(
    reading: Session, logged: KeyedTable, owners: Sequence[Any], keys: Collection[str] | None
) -> Iterator[_Group]:
    key, value = logged.table.c.key, func.coalesce(logged.table.c.value, "")
    pack = packing(reading.dialect)
    for conditions in logged.conditions(reading.dialect, owners, keys):
        if pack is None:
            rows = select(logged.owner, key, value).where(*conditions)
            yield from _grouped(reading, rows, keys)
        else:
            packs = select(logged.owner, pack(key), pack(value)).where(*conditions)
            yield from _unpacked(reading, packs.group_by(logged.owner))


def _unpacked(reading: Session, statement: Select[Any]) -> Iterator[_Group]:
    """Read one row an owner: a tenth of the rows, and half of the time, of one row a pair."""
    for owner, packed_keys, packed_values in reading.rows(statement):
        keys, values = orjson.loads(packed_keys), orjson.loads(packed_values)
        if keys != sorted(keys):
            pairs = sorted(zip(keys, values, strict=True))
            keys, values = zip(*pairs, strict=True)
        yield owner, keys, values


def _grouped(reading: Session, statement: Select[Any], keys: Collection[str] | None) -> Iterator[_Group]:
    rows = sorted(reading.rows(statement))
    for owner, group in groupby(rows, itemgetter(0)):
        # A collation that folds case finds more keys than were asked for.
        pairs = [row for row in group if keys is None or row[1] in keys]
        if pairs:
            _, some, values = zip(*pairs, strict=True)
            yield owner, some, values
