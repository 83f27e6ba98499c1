"""Items: one row of a `One`, apart from the others, so that it can be kept alone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gql_server.cache.cached_lists import CachedList, join, split
from schema.ports.table import Column, Many, One, Table

LISTS = frozenset({"params", "metrics", "tags", "datasets", "aliases"})
"""What a store may add to rows as a `Many`, or may leave out though it was asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class CachedRow:
    """What one id stands for: its leaves and lists by column, and the columns that were asked for.

    `leaves` is None where nothing has the id.
    """

    asked: frozenset[str]
    leaves: Mapping[str, Any] | None
    lists: Mapping[str, CachedList]

    def covers(self, columns: frozenset[str]) -> bool:
        """Say whether these columns were asked for when this was read."""
        return self.leaves is None or columns <= self.asked


def items(one: One, asked: frozenset[str]) -> list[CachedRow]:
    """Return the item of each parent."""
    leaves = {name: column for name, column in one.rows.columns.items() if isinstance(column, Sequence)}
    lists = {name: split(column) for name, column in one.rows.columns.items() if isinstance(column, Many)}
    return [
        CachedRow(asked, None, {})
        if place is None
        else CachedRow(
            asked,
            {name: column[place] for name, column in leaves.items()},
            {name: pieces[place] for name, pieces in lists.items()},
        )
        for place in one.index
    ]


def row_of(found: Sequence[CachedRow], columns: Iterable[str]) -> One:
    """Return the items as one table again: the columns that all of them have, or those asked for if none."""
    there = list({id(item): item for item in found if item.leaves is not None}.values())
    places = {id(item): place for place, item in enumerate(there)}
    leaves = [item.leaves for item in there if item.leaves is not None]
    index = [places.get(id(item)) for item in found]
    if not there:
        return One(Table(0, {name: [] for name in columns if name not in LISTS}), index)
    rows: dict[str, Column] = {name: [own[name] for own in leaves] for name in _common(leaves)}
    for name in _common([item.lists for item in there]):
        rows[name] = join([item.lists[name] for item in there])
    return One(Table(len(there), rows), index)


def _common(mappings: Sequence[Collection[str]]) -> set[str]:
    return set(mappings[0]).intersection(*mappings)
