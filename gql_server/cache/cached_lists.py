"""Lists of a `Many`, one per parent, so that each can be cached separately."""

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, chain, pairwise
from typing import Any, TypeAlias

from schema.ports.table import Many, Table

CachedList: TypeAlias = Mapping[str, Sequence[Any]]
"""The rows of one parent: columns of equal length by name."""


def split_lists(many: Many) -> list[CachedList]:
    """Return each parent's list, as a copy."""
    columns = list(many.rows.columns.items())
    return [{name: column[start:stop] for name, column in columns} for start, stop in many.spans]  # type: ignore[index]


def join_lists(lists: Sequence[CachedList]) -> Many:
    """Return one or more lists as a `Many`, with the columns that all of them have."""
    names = set(lists[0]).intersection(*lists)
    columns = {name: list(chain.from_iterable(rows[name] for rows in lists)) for name in names}
    bounds = accumulate(map(row_count, lists), initial=0)
    spans = list(pairwise(bounds))
    return Many(Table(spans[-1][1], columns), spans)


def row_count(rows: CachedList) -> int:
    """Return the number of rows in a list."""
    return len(next(iter(rows.values()), ()))


def select_keys(rows: CachedList, keys: Collection[str]) -> CachedList:
    """Return the rows whose column `key` is one of these keys."""
    indexes = [index for index, key in enumerate(rows["key"]) if key in keys]
    return {name: [column[index] for index in indexes] for name, column in rows.items()}
