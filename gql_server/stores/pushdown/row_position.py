"""Positions that have the key of a row, so that a page continues after the row wherever it is by then.

A store's own position is an offset: a row that is added or deleted between two pages shifts all that follow,
so that rows are repeated or missing. A key is not shifted.

- A position in an order that this server sorts is the sort key alone.
- With the mark `key`, the store gets a clause on the first key of the order (`Keyset`).
- With the mark `row`, it also has the store's position of the row, from which the page is read. The rows up
  to the key are left out. If the row is no longer there, the page is read from the start.
"""

from dataclasses import dataclass
from typing import Final

from schema.ports.tracking import Position

_KEY: Final = "key"
_ROW: Final = "row"


@dataclass(frozen=True, slots=True)
class RowPosition:
    """The sort key of a row, and where the store had it, if the page is read from there."""

    key: Position
    store_position: Position | None = None

    @property
    def position(self) -> Position:
        """Return the position for a cursor."""
        if self.store_position is None:
            return [_KEY, *self.key]
        return [_ROW, self.store_position, *self.key]


def row_position(after: Position | None) -> RowPosition | None:
    """Return what a position with a mark has; None for any other position. The key is not checked."""
    match after:
        case ["key", *key] if key and isinstance(key[-1], str):
            return RowPosition(key)
        case ["row", [*store_position], *key] if key and isinstance(key[-1], str):
            return RowPosition(key, store_position)
    return None
