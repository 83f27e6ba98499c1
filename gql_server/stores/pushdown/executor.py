"""Execution of one search: a page or a scan, completed here where the store cannot run all of it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from gql_server.stores.paging import FetchPage, SearchPage, iterate_pages, read_matching_page, read_page
from gql_server.stores.pushdown.plan import SearchPlan
from gql_server.stores.pushdown.scan import MakeTable, ScanFilter, ScanLimit, TopRows
from gql_server.stores.pushdown.sort import SortOrder
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Page, Position


@dataclass(frozen=True, slots=True)
class SearchExecutor:
    """Runs a planned search with a function that fetches the store's pages."""

    plan: SearchPlan
    sort_order: SortOrder
    make_table: MakeTable
    kind: StoreKind
    scan_limit: ScanLimit

    async def page(self, fetch: FetchPage, page: Page) -> SearchPage:
        """Return one page: in the store's order where that is correct, otherwise sorted here."""
        if self.plan.order_by is None or _is_sort_key(page.after):
            return await self._page_sorted_here(fetch, page)
        result = await self._page_in_store_order(fetch, page)
        misplaced = page.after is None and self._starts_with_unknown_start(result)
        return await self._page_sorted_here(fetch, page) if misplaced else result

    async def scan(self, fetch: FetchPage) -> AsyncIterator[Sequence[Any]]:
        """Yield all matching entities in lists; raise `LimitExceeded` above the scan limit."""
        scan_filter = ScanFilter(self.plan.residual, self.make_table)
        async for entities in iterate_pages(fetch, self.kind):
            self.scan_limit.add(len(entities))
            matched = scan_filter(entities)
            yield [entity for entity, match in zip(entities, matched, strict=True) if match]

    def top_rows(self, page: Page) -> TopRows:
        """Return a collector of a page's rows that sorts the entities added to it."""
        after = None if page.after is None else self.sort_order.check_position(page.after)
        return TopRows(self.sort_order, page.first, after)

    async def _page_in_store_order(self, fetch: FetchPage, page: Page) -> SearchPage:
        if self.plan.residual is None:
            return await read_page(fetch, page.first, page.after, self.kind)
        scan_filter = ScanFilter(self.plan.residual, self.make_table)
        return await read_matching_page(
            fetch, page.first, page.after, self.kind, scan_filter, self.scan_limit.add
        )

    async def _page_sorted_here(self, fetch: FetchPage, page: Page) -> SearchPage:
        top_rows = self.top_rows(page)
        async for entities in self.scan(fetch):
            top_rows.add(entities, self.make_table(entities, self.sort_order.columns))
        return top_rows.page()

    def _starts_with_unknown_start(self, page: SearchPage) -> bool:
        """Return whether runs without a start time come first; they must come last."""
        entry = self.sort_order.order[0]
        if (entry.by, entry.key) != ("attribute", "started_at") or entry.descending:
            return False
        return None in self.make_table(page.rows[:1], {"started_at"})["started_at"]


def _is_sort_key(after: Position | None) -> bool:
    """Return whether a position is a sort key of this server; a store's position ends with a number."""
    return isinstance(after[-1], str) if after else False
