"""Serialization of the ports' results, the same for memory and for Redis.

orjson writes 64-bit integers and floats exactly. A value that it cannot write, such as text with a lone
surrogate, is not cached: `serialize` returns None, and each request reads it from the store. The ports have
no NaN.
"""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from gql_server.cache.cached_lists import CachedList
from gql_server.cache.cached_rows import CachedRow
from schema.ports.table import Many, Table
from schema.ports.tracking import Groups, Pages, Position

_T = TypeVar("_T")

_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def serialize(value: Any) -> bytes | None:
    """Return a plain value as bytes; None if it cannot be cached."""
    try:
        return orjson.dumps(value, _to_list, _OPTIONS)
    except orjson.JSONEncodeError:
        return None


def deserialize(load: Callable[[Any], _T], body: bytes | memoryview) -> _T | None:
    """Return the serialized value; None if the bytes are invalid."""
    try:
        return load(orjson.loads(body))
    except (ValueError, TypeError, LookupError, AttributeError):
        return None


def load_list(plain: Any) -> CachedList:
    """Return the list from its plain value; `serialize` writes it unchanged."""
    return dict(plain)


def dump_row(row: CachedRow) -> bytes | None:
    """Serialize a row."""
    return serialize([list(row.requested), row.leaves, row.lists])


def load_row(plain: Any) -> CachedRow:
    """Return the row from its plain value."""
    requested, leaves, lists = plain
    return CachedRow(frozenset(requested), leaves, lists)


def dump_many(many: Many) -> bytes | None:
    """Serialize a list for each parent."""
    return serialize([_plain(many.rows), many.spans])


def load_many(plain: Any) -> Many:
    """Return the lists from their plain value."""
    table, spans = plain
    return Many(_table(table), _spans(spans))


def dump_pages(pages: Pages) -> bytes | None:
    """Serialize pages with the positions of all rows: any of them may become a cursor."""
    try:
        # The standard encoder takes JSON values of any size, infinities included.
        positions = json.dumps([pages.position(row) for row in range(pages.rows.size)])
    except Exception:  # noqa: BLE001 - a page without a position for some row is still a result
        return None
    return serialize([_plain(pages.rows), pages.spans, pages.has_next, positions])


def load_pages(plain: Any) -> Pages:
    """Return the pages from their plain value; positions are parsed when the first one is used."""
    table, spans, has_next, positions = plain
    parsed: list[Position] = []

    def position(row: int) -> Position:
        if not parsed:
            parsed.extend(json.loads(positions))
        return parsed[row]

    return Pages(_table(table), _spans(spans), has_next, position)


def dump_groups(groups: Groups) -> bytes | None:
    """Serialize groups."""
    return serialize([groups.values, groups.counts, _plain(groups.metrics.rows), groups.metrics.spans])


def load_groups(plain: Any) -> Groups:
    """Return the groups from their plain value."""
    values, counts, metrics, spans = plain
    return Groups(values, counts, Many(_table(metrics), _spans(spans)))


def _plain(table: Table) -> list[Any]:
    many = {name: column for name, column in table.columns.items() if isinstance(column, Many)}
    leaves = {name: column for name, column in table.columns.items() if name not in many}
    lists = {name: [_plain(column.rows), column.spans] for name, column in many.items()}
    return [table.size, leaves, lists, table.type_name]


def _table(plain: Any) -> Table:
    size, leaves, lists, type_name = plain
    many = {name: Many(_table(rows), _spans(spans)) for name, (rows, spans) in lists.items()}
    return Table(size, leaves | many, type_name)


def _spans(plain: Any) -> list[tuple[int, int]]:
    return [(start, stop) for start, stop in plain]


def _to_list(column: Any) -> list[Any]:
    # Columns are any sequences; orjson takes lists and tuples only.
    if isinstance(column, str | bytes) or not hasattr(column, "__getitem__"):
        raise TypeError
    return list(column)
