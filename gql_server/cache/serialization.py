"""Packing: what the port answers as bytes and back, the same for memory and for Redis.

orjson writes integers of 64 bits and floats exactly. What it cannot write, such as text with lone
surrogates, is not kept: `packed` returns None and the store is asked each time. The port has no NaN.
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


def packed(plain: Any) -> bytes | None:
    """Return plain values as bytes; None where they cannot be kept."""
    try:
        return orjson.dumps(plain, _listed, _OPTIONS)
    except orjson.JSONEncodeError:
        return None


def unpacked(load: Callable[[Any], _T], body: bytes | memoryview) -> _T | None:
    """Return what was packed; None where the bytes are not what they should be."""
    try:
        return load(orjson.loads(body))
    except (ValueError, TypeError, LookupError, AttributeError):
        return None


def pack_piece(piece: CachedList) -> bytes | None:
    """Return a piece as bytes."""
    return packed(piece)


def load_piece(plain: Any) -> CachedList:
    """Return the piece that was packed."""
    return dict(plain)


def pack_item(item: CachedRow) -> bytes | None:
    """Return an item as bytes."""
    return packed([list(item.asked), item.leaves, item.lists])


def load_item(plain: Any) -> CachedRow:
    """Return the item that was packed."""
    asked, leaves, lists = plain
    return CachedRow(frozenset(asked), leaves, lists)


def pack_many(many: Many) -> bytes | None:
    """Return a list for each parent as bytes."""
    return packed([_plain(many.rows), many.spans])


def load_many(plain: Any) -> Many:
    """Return the lists that were packed."""
    table, spans = plain
    return Many(_table(table), _spans(spans))


def pack_pages(pages: Pages) -> bytes | None:
    """Return pages as bytes, with the positions of all rows: nobody knows which will be asked for."""
    try:
        # JSON values of any size, which the standard encoder takes, infinities included.
        positions = json.dumps([pages.position(row) for row in range(pages.rows.size)])
    except Exception:  # noqa: BLE001 - a page without a name for some place in it is still an answer
        return None
    return packed([_plain(pages.rows), pages.spans, pages.has_next, positions])


def load_pages(plain: Any) -> Pages:
    """Return the pages that were packed; positions are looked at when one is asked for."""
    table, spans, has_next, positions = plain
    places: list[Position] = []

    def position(row: int) -> Position:
        if not places:
            places.extend(json.loads(positions))
        return places[row]

    return Pages(_table(table), _spans(spans), has_next, position)


def pack_groups(groups: Groups) -> bytes | None:
    """Return groups as bytes."""
    return packed([groups.values, groups.counts, _plain(groups.metrics.rows), groups.metrics.spans])


def load_groups(plain: Any) -> Groups:
    """Return the groups that were packed."""
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


def _listed(column: Any) -> list[Any]:
    # Columns are any sequences; orjson knows lists and tuples.
    if isinstance(column, str | bytes) or not hasattr(column, "__getitem__"):
        raise TypeError
    return list(column)
