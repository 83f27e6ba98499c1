"""Execution of one search: a page or a scan, completed here where the store cannot run all of it."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from gql_server.stores.paging import FetchPage, SearchPage, iterate_pages, read_matching_page, read_page
from gql_server.stores.pushdown.keyset import Keyset
from gql_server.stores.pushdown.plan import SearchPlan
from gql_server.stores.pushdown.row_position import RowPosition, row_position
from gql_server.stores.pushdown.scan import MakeTable, ScanFilter, ScanLimit, TopRows
from gql_server.stores.pushdown.sort import SortOrder
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Page, Position

SORTS_TIES: Final = {StoreKind.SQL, StoreKind.MLFLOW_SERVER, StoreKind.FILE}
"""MLflow's own stores, which sort rows that are equal in the order by their ids."""


_Follow: TypeAlias = Callable[[Sequence[Any]], list[bool]]
"""Returns for each row of a page whether it comes after the last one of the page before."""


class _RowMissingError(Exception):
    """The store no longer has the last row of a page at its position."""


@dataclass(frozen=True, slots=True)
class SearchExecutor:
    """Runs a planned search with a function that fetches the store's pages.

    With a `keyset`, the fetched pages start at the key of a position, otherwise at its row.
    """

    plan: SearchPlan
    sort_order: SortOrder
    make_table: MakeTable
    kind: StoreKind
    scan_limit: ScanLimit
    keyset: Keyset | None = None

    async def page(self, fetch: FetchPage, page: Page) -> SearchPage:
        """Return one page: in the store's order where that is correct, otherwise sorted here."""
        row = row_position(page.after)
        if self.plan.order_by is None or _is_sort_key(page.after) or not self._continues_at(row):
            after = page.after if row is None else row.key
            return await self._page_sorted_here(fetch, replace(page, after=after))
        result = await self._page_in_store_order(fetch, page, row)
        if page.after is None and self._starts_with_missing_time(result):
            return await self._page_sorted_here(fetch, page)
        return result

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

    def _continues_at(self, row: RowPosition | None) -> bool:
        """Return whether a page in the store's order can continue at such a position."""
        return row is None or row.store_position is not None or self.keyset is not None

    async def _page_in_store_order(self, fetch: FetchPage, page: Page, row: RowPosition | None) -> SearchPage:
        if row is not None:
            result = await self._page_after_row(fetch, page.first, row)
        elif self.plan.residual is None:
            result = await read_page(fetch, page.first, page.after, self.kind)
        else:
            scan_filter = ScanFilter(self.plan.residual, self.make_table)
            result = await read_matching_page(
                fetch, page.first, page.after, self.kind, scan_filter, self.scan_limit.add
            )
        return replace(result, positions=self._positions(result))

    def _positions(self, page: SearchPage) -> list[Position]:
        keys = self.sort_order.sort_keys(self.make_table(page.rows, self.sort_order.columns))
        if self.keyset is not None:
            return [RowPosition(key).position for key in keys]
        return [
            RowPosition(key, store_position).position
            for key, store_position in zip(keys, page.positions, strict=True)
        ]

    async def _page_after_row(self, fetch: FetchPage, first: int, row: RowPosition) -> SearchPage:
        if row.store_position is not None and self.kind not in SORTS_TIES:
            return await self._matching_page(fetch, first, row.store_position, _AfterFirst())
        after_row = _AfterRow(self.sort_order, self.make_table, row)
        try:
            return await self._matching_page(fetch, first, row.store_position, after_row)
        except _RowMissingError:
            after_row = _AfterRow(self.sort_order, self.make_table, replace(row, store_position=None))
            return await self._matching_page(fetch, first, None, after_row)

    async def _matching_page(
        self, fetch: FetchPage, first: int, start: Position | None, is_after: _Follow
    ) -> SearchPage:
        scan_filter = ScanFilter(self.plan.residual, self.make_table)

        def follow_and_match(entities: Sequence[Any]) -> list[bool]:
            followed = is_after(entities)
            return [*map(all, zip(followed, scan_filter(entities), strict=True))]

        # One row more, since the first one that the store returns is most often the one with the key.
        return await read_matching_page(
            fetch, first, start, self.kind, follow_and_match, self.scan_limit.add, excess=1
        )

    async def _page_sorted_here(self, fetch: FetchPage, page: Page) -> SearchPage:
        top_rows = self.top_rows(page)
        async for entities in self.scan(fetch):
            top_rows.add(entities, self.make_table(entities, self.sort_order.columns))
        return top_rows.page()

    def _starts_with_missing_time(self, page: SearchPage) -> bool:
        """Return whether rows without a time come first; they must come last."""
        entry = self.sort_order.order[0]
        # MLflow stores 0 for a missing start, and databases disagree on where they sort a missing time.
        is_start = entry.key == "started_at" and not entry.descending
        if entry.by != "attribute" or not (is_start or entry.key in {"created_at", "updated_at"}):
            return False
        return None in self.make_table(page.rows[:1], {entry.key})[entry.key]


class _AfterFirst:
    """Tests whether rows come after the first one."""

    def __init__(self) -> None:
        self._rows = 0

    def __call__(self, entities: Sequence[Any]) -> list[bool]:
        """Return for each row whether it is not the first."""
        start, self._rows = self._rows, self._rows + len(entities)
        return [start + row > 0 for row in range(len(entities))]


class _AfterRow:
    """Tests whether rows come after a row, which the first page has unless the row is missing."""

    def __init__(self, sort_order: SortOrder, make_table: MakeTable, row: RowPosition) -> None:
        self._sort_order = sort_order
        self._make_table = make_table
        self._start = sort_order.comparable(sort_order.check_position(row.key))
        self._must_have_row = row.store_position is not None

    def __call__(self, entities: Sequence[Any]) -> list[bool]:
        """Return for each row whether it comes after; raise `_RowMissingError` if the first one does."""
        keys = self._sort_order.sort_keys(self._make_table(entities, self._sort_order.columns))
        followed = [self._start < self._sort_order.comparable(key) for key in keys]
        if self._must_have_row and (not followed or followed[0]):
            raise _RowMissingError
        self._must_have_row = False
        return followed


def _is_sort_key(after: Position | None) -> bool:
    """Return whether a position is a sort key without a mark; a store's position ends with a number."""
    return isinstance(after[-1], str) and row_position(after) is None if after else False
