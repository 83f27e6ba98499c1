"""Scans of a store's rows: the filter, the first rows of an order, and the scan limit."""

import heapq
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from gql_server.stores.paging import SearchPage
from gql_server.stores.pushdown.evaluate import matches, required_columns
from gql_server.stores.pushdown.sort import SortOrder
from schema.ports.condition import Condition
from schema.ports.errors import LimitExceeded
from schema.ports.table import Table
from schema.ports.tracking import Position

MakeTable = Callable[[Sequence[Any], Collection[str]], Table]
"""Makes a table with the given columns from MLflow's entities."""


class ScanLimit:
    """The number of rows, such as runs, that one call of the port may still read."""

    def __init__(self, limit: int, counted: str = "runs") -> None:
        self._limit = limit
        self._counted = counted
        self._remaining = limit

    def add(self, rows: int) -> None:
        """Count rows that were read; raise `LimitExceeded` once there are more than the limit."""
        self._remaining -= rows
        if self._remaining < 0:
            message = (
                "This store cannot run this search by itself, and the search has more than the "
                f"{self._limit:,} {self._counted} that this server scans to complete it "
                "(GQL_MAX_SCANNED_RUNS); search fewer experiments, or add a filter that the store supports."
            )
            raise LimitExceeded(message)


@dataclass(frozen=True, slots=True)
class ScanFilter:
    """Tests a store's entities against a condition."""

    condition: Condition | None
    make_table: MakeTable

    def __call__(self, entities: Sequence[Any]) -> Sequence[bool]:
        """Return for each entity whether it matches."""
        if self.condition is None:
            return [True] * len(entities)
        return matches(self.condition, self.make_table(entities, required_columns(self.condition)))


@dataclass(slots=True)
class TopRows:
    """The first `limit` rows of an order after a position, among all rows added; other rows are discarded."""

    sort_order: SortOrder
    limit: int
    after: Position | None
    _rows: list[tuple[tuple[Any, ...], Position, Any]] = field(default_factory=list)

    def add(self, entities: Sequence[Any], rows: Table) -> None:
        """Add entities; `rows` is their table, with the columns of the order."""
        comparable = self.sort_order.comparable
        keys = self.sort_order.sort_keys(rows)
        added = [(comparable(key), key, entity) for key, entity in zip(keys, entities, strict=True)]
        if self.after is not None:
            start = comparable(self.after)
            added = [row for row in added if start < row[0]]
        # One more than the limit, to determine `has_next`.
        self._rows = heapq.nsmallest(self.limit + 1, [*self._rows, *added], key=lambda row: row[0])

    def page(self) -> SearchPage:
        """Return the rows in order, with the position after each."""
        rows = self._rows[: self.limit]
        return SearchPage(
            [entity for _, _, entity in rows], [key for _, key, _ in rows], len(self._rows) > self.limit
        )
