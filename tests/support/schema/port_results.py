"""Answers of the port taken apart."""

from collections.abc import Sequence
from typing import Any

from schema.ports.table import Many, One, Table


def lists(many: Many, *columns: str) -> list[list[Any]]:
    """Return what each parent has: a tuple a row, or a value where one column is asked for."""
    rows = _rows(many.rows, columns)
    return [rows[start:stop] for start, stop in many.spans]


def each(one: One, *columns: str) -> list[Any]:
    """Return what each parent's row has, or None where there is no row."""
    rows = _rows(one.rows, columns)
    return [None if place is None else rows[place] for place in one.index]


def pairs(many: Many) -> list[dict[str, str]]:
    """Return each parent's keys and values; a wrong order fails."""
    found: list[dict[str, str]] = []
    for rows in lists(many, "key", "value"):
        assert rows == sorted(rows)
        found.append(dict(rows))
    return found


def _rows(table: Table, columns: Sequence[str]) -> list[Any]:
    if not table.size:
        return []
    rows = list(zip(*(table[name] for name in columns), strict=True))
    return [row[0] for row in rows] if len(columns) == 1 else rows
