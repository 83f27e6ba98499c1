"""Execution of one search: a page or a scan, completed here where the store cannot run all of it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gql_server.stores.paging import FetchPage, SearchPage, iterate_pages, read_matching_page, read_page
from gql_server.stores.pushdown.keyset import Keyset, key_of
from gql_server.stores.pushdown.plan import SearchPlan
from gql_server.stores.pushdown.scan import MakeTable, ScanFilter, ScanLimit, TopRows
from gql_server.stores.pushdown.sort import SortOrder
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Page, Position


@dataclass(frozen=True, slots=True)
class SearchExecutor:
    """Runs a planned search with a function that fetches the store's pages.

    With a `keyset`, the positions of rows in the store's order are keys.
    """

    plan: SearchPlan
    sort_order: SortOrder
    make_table: MakeTable
    kind: StoreKind
    scan_limit: ScanLimit
    keyset: Keyset | None = None

    async def page(self, fetch: FetchPage, page: Page) -> SearchPage:
        """Return one page: in the store's order where that is correct, otherwise sorted here."""
        key = key_of(page.after)
        if key is not None and (self.keyset is None or self.plan.order_by is None):
            page = replace(page, after=key)
        if self.plan.order_by is None or (_is_sort_key(page.after) and key_of(page.after) is None):
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
        after = page.after
        if self.keyset is not None and after is not None and key_of(after) is not None:
            result = await self._page_after_key(fetch, page.first, after, self.keyset)
        elif self.plan.residual is None:
            result = await read_page(fetch, page.first, after, self.kind)
        else:
            scan_filter = ScanFilter(self.plan.residual, self.make_table)
            result = await read_matching_page(
                fetch, page.first, after, self.kind, scan_filter, self.scan_limit.add
            )
        if self.keyset is None:
            return result
        return replace(result, positions=self.keyset.positions(result.rows))

    async def _page_after_key(
        self, fetch: FetchPage, first: int, after: Position, keyset: Keyset
    ) -> SearchPage:
        scan_filter = ScanFilter(self.plan.residual, self.make_table)

        def follow_and_match(entities: Sequence[Any]) -> list[bool]:
            followed = keyset.follow(entities, after)
            return [*map(all, zip(followed, scan_filter(entities), strict=True))]

        # One row more, since the first one that the store returns is most often the one with the key.
        return await read_matching_page(
            fetch, first, None, self.kind, follow_and_match, self.scan_limit.add, excess=1
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
