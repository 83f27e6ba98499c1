"""Results of the port as lists and dictionaries."""

from collections.abc import Sequence
from typing import Any

from schema.ports.table import Many, One, Table


def lists(many: Many, *columns: str) -> list[list[Any]]:
    """Return the rows of each parent: tuples, or values if there is only one column."""
    rows = _rows(many.rows, columns)
    return [rows[start:stop] for start, stop in many.spans]


def each(one: One, *columns: str) -> list[Any]:
    """Return the row of each parent, or None if it has none."""
    rows = _rows(one.rows, columns)
    return [None if index is None else rows[index] for index in one.index]


def pairs(many: Many) -> list[dict[str, str]]:
    """Return the keys and values of each parent; fail if they are not sorted by key."""
    parents: list[dict[str, str]] = []
    for rows in lists(many, "key", "value"):
        assert rows == sorted(rows)
        parents.append(dict(rows))
    return parents


def _rows(table: Table, columns: Sequence[str]) -> list[Any]:
    if not table.size:
        return []
    rows = list(zip(*(table[name] for name in columns), strict=True))
    return [row[0] for row in rows] if len(columns) == 1 else rows
