"""Pages that continue after the key of the last row, by a clause of the store's filter.

A store's own position is an offset: a run that is added or deleted between two pages shifts all that follow,
so that runs are repeated or missing. A key is not shifted. The clause compares the first key of the order,
and the rows up to the key are left out here, because several rows can have the same first key.

This needs an order whose first key every row has, because no row without the key matches a clause on it: the
start time. A server stores 0 for an unknown one, which is the smallest number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gql_server.stores.pushdown.capabilities import Capabilities
from gql_server.stores.pushdown.filter_pushdown import RUN_SYNTAX, filter_clause
from gql_server.stores.pushdown.scan import MakeTable
from gql_server.stores.pushdown.sort import SortOrder
from schema.ports.condition import Predicate
from schema.ports.errors import BadUserInput
from schema.ports.table import Table
from schema.ports.tracking import Position

_MARK: Final = "key"
"""The first item of a position. Those of sorted rows have no mark, and those of stores no text at the end."""
_INT64: Final = 2**63


@dataclass(frozen=True, slots=True)
class Keyset:
    """The pages of runs in an order that a store has as well."""

    sort_order: SortOrder
    capabilities: Capabilities
    make_table: MakeTable

    @property
    def is_possible(self) -> bool:
        """Return whether a clause on the first key of the order leaves out no further row."""
        first = self.sort_order.order[0]
        is_start = (first.by, first.key) == ("attribute", "started_at")
        return is_start and self._clause(0) is not None

    def clause(self, after: Position | None) -> str | None:
        """Return the clause that all rows after a position match; None without a position of this kind."""
        key = key_of(after)
        if key is None:
            return None
        _, value = self.sort_order.check_position(key)[0]
        if value is None:
            return self._clause(0)
        if not isinstance(value, int) or not -_INT64 <= value < _INT64:
            message = "after is not a cursor of this connection."
            raise BadUserInput(message)
        return self._clause(value)

    def follow(self, rows: Sequence[Any], after: Position) -> list[bool]:
        """Return for each row whether it comes after a position."""
        start = self.sort_order.comparable(self.sort_order.check_position(key_of(after) or after))
        table = self._table(rows)
        return [start < self.sort_order.comparable(key) for key in self.sort_order.sort_keys(table)]

    def positions(self, rows: Sequence[Any]) -> list[Position]:
        """Return the position of each row."""
        return [[_MARK, *key] for key in self.sort_order.sort_keys(self._table(rows))]

    def _table(self, rows: Sequence[Any]) -> Table:
        return self.make_table(rows, self.sort_order.columns)

    def _clause(self, value: int) -> str | None:
        operator = "lte" if self.sort_order.order[0].descending else "gte"
        predicate = Predicate("attribute", "started_at", operator, value)  # type: ignore[arg-type]
        return filter_clause(predicate, RUN_SYNTAX, self.capabilities)


def key_of(after: Position | None) -> Position | None:
    """Return the sort key in a position of a `Keyset`; None for any other position."""
    is_marked = after is not None and len(after) > 1 and after[0] == _MARK and isinstance(after[-1], str)
    return after[1:] if is_marked and after is not None else None
