"""Going through what a store finds: what matches, what comes first, and how much may be gone through."""

import heapq
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from gql_server.stores.mlflow.paging import Found
from gql_server.stores.pushdown.evaluate import matches, needed
from gql_server.stores.pushdown.sort import SortOrder
from schema.ports.condition import Condition
from schema.ports.errors import LimitExceeded
from schema.ports.table import Table
from schema.ports.tracking import Position

MakeTable = Callable[[Sequence[Any], Collection[str]], Table]
"""Makes a table of MLflow's entities, with the columns named."""


class ScanLimit:
    """How many runs or experiments may still be gone through for one call of the port."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most

    def spend(self, rows: int) -> None:
        """Count rows that were read; raise `LimitExceeded` where they are more than may be."""
        self._left -= rows
        if self._left < 0:
            message = (
                f"This store cannot do this search by itself, and has more than the {self._most:,} runs that "
                "this server goes through to finish it (GQL_MAX_SCANNED_RUNS); ask for fewer experiments, or "
                "narrow it by a filter that the store knows."
            )
            raise LimitExceeded(message)


@dataclass(frozen=True, slots=True)
class ScanFilter:
    """Tells which of a store's entities a condition holds for."""

    where: Condition | None
    table: MakeTable

    def __call__(self, entities: Sequence[Any]) -> Sequence[bool]:
        """Say of each whether it matches."""
        if self.where is None:
            return [True] * len(entities)
        return matches(self.where, self.table(entities, needed(self.where)))


@dataclass(slots=True)
class TopRows:
    """The first rows of an order behind a place, of all that is added; no more than those are kept."""

    ordering: SortOrder
    most: int
    after: Position | None
    _kept: list[tuple[tuple[Any, ...], Position, Any]] = field(default_factory=list)

    def add(self, entities: Sequence[Any], rows: Table) -> None:
        """Take in entities, with a table that has the order's columns of them."""
        ordering = self.ordering
        keys = ordering.keys(rows)
        placed = [(ordering.sortable(key), key, own) for key, own in zip(keys, entities, strict=True)]
        if self.after is not None:
            least = ordering.sortable(self.after)
            placed = [one for one in placed if least < one[0]]
        # One more than asked for tells whether more follow.
        self._kept = heapq.nsmallest(self.most + 1, [*self._kept, *placed], key=lambda one: one[0])

    def found(self) -> Found:
        """Return the rows in order, with the place of each."""
        there = self._kept[: self.most]
        return Found([own for _, _, own in there], [key for _, key, _ in there], len(self._kept) > self.most)
