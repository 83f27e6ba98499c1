"""Rows of a `One`, one per id, so that each can be cached separately."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gql_server.cache.cached_lists import CachedList, join_lists, split_lists
from schema.ports.table import Column, Many, One, Table

LIST_COLUMNS = frozenset({"params", "metrics", "tags", "datasets", "aliases"})
"""The columns that a store may add to rows as a `Many`, or omit though they were requested."""


@dataclass(frozen=True, slots=True, eq=False)
class CachedRow:
    """One row: the columns requested when it was read, its leaves and its lists by column.

    `leaves` is None if the id does not exist.
    """

    requested: frozenset[str]
    leaves: Mapping[str, Any] | None
    lists: Mapping[str, CachedList]

    def covers(self, columns: frozenset[str]) -> bool:
        """Return whether these columns were requested when the row was read."""
        return self.leaves is None or columns <= self.requested


def split_rows(one: One, requested: frozenset[str]) -> list[CachedRow]:
    """Return each parent's row."""
    leaves = {name: column for name, column in one.rows.columns.items() if isinstance(column, Sequence)}
    lists = {
        name: split_lists(column) for name, column in one.rows.columns.items() if isinstance(column, Many)
    }
    return [
        CachedRow(requested, None, {})
        if index is None
        else CachedRow(
            requested,
            {name: column[index] for name, column in leaves.items()},
            {name: column[index] for name, column in lists.items()},
        )
        for index in one.index
    ]


def join_rows(rows: Sequence[CachedRow], columns: Iterable[str]) -> One:
    """Return the rows as a `One`, with the columns that all have; if none exists, with those of `columns`."""
    existing = list({id(row): row for row in rows if row.leaves is not None}.values())
    indexes = {id(row): index for index, row in enumerate(existing)}
    leaves = [row.leaves for row in existing if row.leaves is not None]
    index = [indexes.get(id(row)) for row in rows]
    if not existing:
        return One(Table(0, {name: [] for name in columns if name not in LIST_COLUMNS}), index)
    table: dict[str, Column] = {name: [values[name] for values in leaves] for name in _common(leaves)}
    for name in _common([row.lists for row in existing]):
        table[name] = join_lists([row.lists[name] for row in existing])
    return One(Table(len(existing), table), index)


def _common(mappings: Sequence[Collection[str]]) -> set[str]:
    return set(mappings[0]).intersection(*mappings)
