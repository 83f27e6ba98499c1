"""One search of a store that finds entities a page at a time: its pages, its count, all that it finds."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from gql_server.stores.mlflow import paging
from gql_server.stores.pushdown.plan import Plan
from gql_server.stores.pushdown.scan import MakeTable, ScanFilter, ScanLimit, TopRows
from gql_server.stores.pushdown.sort import SortOrder
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Page, Position


@dataclass(frozen=True, slots=True)
class SearchExecutor:
    """What is left to do of a search once the store has done what it can."""

    plan: Plan
    ordering: SortOrder
    table: MakeTable
    kind: StoreKind
    bound: ScanLimit

    async def page(self, ask: paging.Search, page: Page) -> paging.Found:
        """Return one page: as the store has it where its order is right, else of all that it finds."""
        if self.plan.order_by is None or _is_made_here(page.after):
            return await self._sorted(ask, page)
        found = await self._stored(ask, page)
        misplaced = page.after is None and self._begins_with_unknown(found)
        return await self._sorted(ask, page) if misplaced else found

    async def scan(self, ask: paging.Search) -> AsyncIterator[Sequence[Any]]:
        """Give all entities that match, in lists; raise `LimitExceeded` where too many are gone through."""
        matching = ScanFilter(self.plan.where, self.table)
        async for entities in paging.pages(ask, self.kind):
            self.bound.spend(len(entities))
            held = matching(entities)
            yield [entity for entity, holds in zip(entities, held, strict=True) if holds]

    async def _stored(self, ask: paging.Search, page: Page) -> paging.Found:
        if self.plan.where is None:
            return await paging.read(ask, page.first, page.after, self.kind)
        matching = ScanFilter(self.plan.where, self.table)
        return await paging.matching(ask, page.first, page.after, self.kind, matching, self.bound.spend)

    def _begins_with_unknown(self, found: paging.Found) -> bool:
        """Say whether runs whose start nobody knows come first, where they should be the last."""
        entry = self.ordering.order[0]
        if (entry.by, entry.key) != ("attribute", "started_at") or entry.descending:
            return False
        return None in self.table(found.rows[:1], {"started_at"})["started_at"]

    async def _sorted(self, ask: paging.Search, page: Page) -> paging.Found:
        first = self.first(page)
        async for entities in self.scan(ask):
            first.add(entities, self.table(entities, self.ordering.columns))
        return first.found()

    def first(self, page: Page) -> TopRows:
        """Return what takes in entities and keeps those of a page."""
        after = None if page.after is None else self.ordering.check(page.after)
        return TopRows(self.ordering, page.first, after)


def _is_made_here(after: Position | None) -> bool:
    """Say whether a place is that of a row in an order made here; a store's own end with a count."""
    return isinstance(after[-1], str) if after else False
