"""Pages that continue after the key of the last row, by a clause of the store's filter.

The clause compares the first key of the order, and the rows up to the key are left out here, because several
rows can have the same first key.

This needs an order whose first key every row has, because no row without the key matches a clause on it: the
start time of a run, and the creation time of a logged model. A server stores 0 for an unknown one, which is
the smallest number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gql_server.stores.pushdown.row_position import RowPosition
from gql_server.stores.pushdown.sort import SortOrder
from schema.ports.condition import Operator
from schema.ports.errors import BadUserInput

_INT64: Final = 2**63


@dataclass(frozen=True, slots=True)
class Keyset:
    """Pages in an order of the store whose first key is a time that each row has.

    `make_clause` returns the clause that compares this time by `lte` or `gte` with a number.
    """

    sort_order: SortOrder
    make_clause: Callable[[Operator, int], str | None]

    def clause(self, after: RowPosition | None) -> str | None:
        """Return the clause that all rows after a position match; None without a position of this kind."""
        if after is None or after.store_position is not None:
            return None
        _, value = self.sort_order.check_position(after.key)[0]
        if value is None:
            return self._clause(0)
        if not isinstance(value, int) or not -_INT64 <= value < _INT64:
            message = "after is not a cursor of this connection."
            raise BadUserInput(message)
        return self._clause(value)

    def _clause(self, value: int) -> str | None:
        return self.make_clause("lte" if self.sort_order.order[0].descending else "gte", value)
