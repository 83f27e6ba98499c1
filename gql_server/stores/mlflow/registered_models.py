"""Searches of registered models over MLflow's registry stores, tested and sorted here.

Stores sort names by the collation of their database, and compare them by it in some versions.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

from gql_server.stores.filters.model_search import ModelSearch, parse_model_search
from gql_server.stores.mlflow.filter_fallback import with_fallback
from gql_server.stores.mlflow.model_entity_tables import registered_model_table
from gql_server.stores.mlflow_names import PROMPT_TAG
from gql_server.stores.paging import OPAQUE_TOKENS, FetchPage, SearchPage
from gql_server.stores.pushdown.capabilities import capabilities_of
from gql_server.stores.pushdown.executor import SearchExecutor
from gql_server.stores.pushdown.plan import SearchPlan
from gql_server.stores.pushdown.scan import ScanLimit
from gql_server.stores.pushdown.sort import SortOrder
from gql_server.stores.pushdown.split_filter import excludes_no_match
from schema.ports.condition import AllOf, Condition, Not, Predicate
from schema.ports.errors import LimitExceeded
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Order, Page

FetchModels: TypeAlias = Callable[[str, int, str | None], Any]
"""Fetches at most a number of the models that match a filter, after a token."""

_BY_NAME: Final = SortOrder((Order("attribute", "name"),), "name")
_IS_PROMPT: Final = Predicate("tag", PROMPT_TAG, "eq", "true")


class RegisteredModels:
    """Searches through `fetch`; one search scans at most `max_scanned` models."""

    def __init__(self, fetch: FetchModels, kind: StoreKind, max_scanned: int) -> None:
        self._fetch = fetch
        self._capabilities = capabilities_of(kind)
        self._max_scanned = max_scanned

    async def page(self, filter_: str | None, page: Page) -> SearchPage:
        """Return one page of the models that match a filter, by name."""
        search = parse_model_search(filter_)
        return await self._executor(search).page(self._fetcher(search), page)

    async def count(self, filter_: str | None) -> int | None:
        """Count the models that match a filter; return None above the scan limit."""
        search = parse_model_search(filter_)
        scan = self._executor(search).scan(self._fetcher(search))
        try:
            return sum([len(models) async for models in scan])
        except LimitExceeded:
            return None

    def _executor(self, search: ModelSearch) -> SearchExecutor:
        limit = ScanLimit(self._max_scanned, "registered models")
        plan = SearchPlan("", _condition(search), None)
        return SearchExecutor(plan, _BY_NAME, registered_model_table, OPAQUE_TOKENS, limit)

    def _fetcher(self, search: ModelSearch) -> FetchPage:
        clauses = [each.text for each in search.comparisons if excludes_no_match(each, self._capabilities)]
        # Without this clause, stores leave out prompts.
        required = [] if search.prompt_clause is None else [search.prompt_clause.text]
        return with_fallback(
            lambda filter_: partial(self._fetch, filter_),
            " AND ".join(dict.fromkeys([*required, *clauses])),
            " AND ".join(required),
        )


def _condition(search: ModelSearch) -> Condition:
    predicates = tuple(comparison.predicate for comparison in search.comparisons)
    # A store from before prompts has no reason to leave them out.
    return AllOf(predicates if search.prompt_clause is not None else (*predicates, Not(_IS_PROMPT)))
