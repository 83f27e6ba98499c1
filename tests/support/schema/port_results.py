"""Results of port methods as lists by parent."""

from collections.abc import Sequence
from typing import Any

from schema.ports.table import Many, One, Table


def rows_by_parent(many: Many, *columns: str) -> list[list[Any]]:
    """Return the rows of each parent: a tuple per row, or its value if one column is given."""
    rows = _rows(many.rows, columns)
    return [rows[start:stop] for start, stop in many.spans]


def row_by_parent(one: One, *columns: str) -> list[Any]:
    """Return the row of each parent, or None if it has none."""
    rows = _rows(one.rows, columns)
    return [None if index is None else rows[index] for index in one.index]


def mapping_by_parent(many: Many) -> list[dict[str, str]]:
    """Return the values of each parent by key, and check that the rows are sorted by key."""
    mappings: list[dict[str, str]] = []
    for rows in rows_by_parent(many, "key", "value"):
        assert rows == sorted(rows)
        mappings.append(dict(rows))
    return mappings


def _rows(table: Table, columns: Sequence[str]) -> list[Any]:
    if not table.size:
        return []
    rows = list(zip(*(table[name] for name in columns), strict=True))
    return [row[0] for row in rows] if len(columns) == 1 else rows


def tuples_by_parent(many: Many, *columns: str) -> list[list[tuple[Any, ...]]]:
    """Return the rows of each parent as tuples, also for a single column."""
    rows = list(zip(*(many.rows[name] for name in columns), strict=True))
    return [rows[start:stop] for start, stop in many.spans]
