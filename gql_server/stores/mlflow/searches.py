"""The port's searches over MLflow's own stores; this server completes what a store cannot run."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from gql_server.runtime.gather import gather_or_cancel
from gql_server.stores.ids import check_scopes
from gql_server.stores.mlflow import entity_tables
from gql_server.stores.mlflow.case_sensitivity import CaseSensitivity
from gql_server.stores.mlflow.merged_pages import merged_pages
from gql_server.stores.mlflow.store_reader import StoreReader
from gql_server.stores.paging import FetchPage, SearchPage
from gql_server.stores.pushdown.aggregate import RunAggregator
from gql_server.stores.pushdown.capabilities import Capabilities
from gql_server.stores.pushdown.evaluate import logged_values, matches
from gql_server.stores.pushdown.executor import SearchExecutor
from gql_server.stores.pushdown.filter_pushdown import RUN_SYNTAX, filter_clause
from gql_server.stores.pushdown.keyset import Keyset
from gql_server.stores.pushdown.plan import SearchPlan, plan_experiments, plan_runs
from gql_server.stores.pushdown.row_position import row_position
from gql_server.stores.pushdown.scan import ScanLimit
from gql_server.stores.pushdown.sort import SortOrder, experiment_sort_order, run_sort_order
from schema.ports.condition import PARENT_TAG, AllOf, Condition, Operator, Predicate
from schema.ports.errors import LimitExceeded
from schema.ports.store_kind import StoreKind
from schema.ports.table import Table
from schema.ports.tracking import (
    Children,
    ExperimentScope,
    Grouping,
    Groups,
    LoggedKind,
    Page,
    Pages,
    Scope,
    Search,
)

_SORTS_EXPERIMENTS: Final = {StoreKind.SQL, StoreKind.MLFLOW_SERVER}
"""Stores that sort experiments as documented. A file store sorts equal ones by the text of their ids."""


class Searches:
    """Searches through `reader`; one call of the port scans at most `max_scanned` rows."""

    def __init__(
        self,
        reader: StoreReader,
        kind: StoreKind,
        capabilities: Capabilities,
        max_scanned: int,
        max_groups: int,
    ) -> None:
        self._reader = reader
        self._kind = kind
        self._max_scanned = max_scanned
        self._max_groups = max_groups
        self._capabilities = capabilities
        self._case_sensitivity = CaseSensitivity(reader)

    async def experiments(self, search: Search, page: Page) -> Pages:
        """Return one page of experiments."""
        executor = self._experiment_executor(search)
        result = await executor.page(self._experiments_fetcher(executor.plan, search), page)
        return merged_pages([result], lambda rows: entity_tables.experiment_table(rows, page.columns))

    async def count_experiments(self, search: Search) -> int | None:
        """Count the matching experiments; return None above the scan limit."""
        executor = self._experiment_executor(search)
        scan = executor.scan(self._experiments_fetcher(executor.plan, search))
        try:
            return sum([len(entities) async for entities in scan])
        except LimitExceeded:
            return None

    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        """Return the first runs of each scope; all scopes share one scan limit."""
        check_scopes(scopes, self._kind)
        executor = self._run_executor(search)
        experiments, siblings = _scopes_by_kind(scopes)
        results = await gather_or_cancel(
            [
                *(self._first_runs(scope, search, page, executor) for scope in experiments),
                *(self._first_children(group, search, page, executor) for group in siblings),
            ]
        )
        pages = {scope: result for part in results for scope, result in part.items()}
        return merged_pages([pages[scope] for scope in scopes], lambda runs: self.table(runs, page.columns))

    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> list[int | None]:
        """Count the matching runs of each scope; return None for a scope above the scan limit."""
        check_scopes(scopes, self._kind)
        experiments, siblings = _scopes_by_kind(scopes)
        results = await gather_or_cancel(
            [
                *(self._count_experiment_runs(scope, search) for scope in experiments),
                *(self._count_children(group, search) for group in siblings),
            ]
        )
        counts = {scope: count for part in results for scope, count in part.items()}
        return [counts[scope] for scope in scopes]

    async def scan_runs(
        self, scope: ExperimentScope, search: Search, scan_limit: ScanLimit | None = None
    ) -> AsyncIterator[Sequence[Any]]:
        """Yield all matching runs of experiments in lists; the search's order is ignored."""
        ids = await self._experiment_ids(scope, search.where)
        executor = self._run_executor(replace(search, order=()), scan_limit)
        if ids:
            async for entities in executor.scan(self._reader.runs_fetcher(ids, executor.plan, search.view)):
                yield entities

    async def run_groups(self, scope: ExperimentScope, search: Search, grouping: Grouping) -> Groups:
        """Group the matching runs; raise `LimitExceeded` for more than `max_groups` groups or summaries."""
        check_scopes([scope], self._kind)
        aggregator = RunAggregator(grouping)
        async for entities in self.scan_runs(scope, search):
            aggregator.add(self.table(entities, aggregator.columns))
        return aggregator.groups(self._max_groups)

    async def logged_keys(self, by: LoggedKind, experiment_ids: Sequence[str]) -> list[list[str] | None]:
        """Return the distinct keys of each experiment's active runs; None for an experiment with too many."""
        check_scopes([tuple(experiment_ids)], self._kind)
        scan_limit = ScanLimit(self._max_scanned)
        column = f"{by}s"

        async def keys_of(experiment_id: str) -> list[str] | None:
            keys: set[str] = set()
            try:
                async for entities in self.scan_runs((experiment_id,), Search(), scan_limit):
                    keys.update(self.table(entities, {column})[column].rows["key"])
                    if len(keys) > self._max_groups:
                        return None
            except LimitExceeded:
                return None
            return sorted(keys)

        distinct = list(dict.fromkeys(experiment_ids))
        keys = dict(zip(distinct, await gather_or_cancel(map(keys_of, distinct)), strict=True))
        return [keys[experiment_id] for experiment_id in experiment_ids]

    def table(self, runs: Sequence[Any], columns: Collection[str]) -> Table:
        """Return the store's runs as a table."""
        return entity_tables.run_table(runs, columns, self._kind)

    async def _first_runs(
        self, scope: ExperimentScope, search: Search, page: Page, executor: SearchExecutor
    ) -> dict[Scope, SearchPage]:
        ids = await self._experiment_ids(scope, search.where)
        if not ids:
            return {scope: SearchPage([], [], has_next=False)}
        plan = plan_runs(search, await self._ordering_capabilities(search, ids))
        executor = replace(executor, plan=plan, keyset=self._keyset(executor.sort_order))
        clause = executor.keyset.clause(row_position(page.after)) if executor.keyset else None
        fetch = self._reader.runs_fetcher(ids, plan.with_clause(clause), search.view)
        return {scope: await executor.page(fetch, page)}

    def _keyset(self, sort_order: SortOrder) -> Keyset | None:
        """Return how pages continue after a key, if the store can do so.

        A file store reads all runs for each page in any case, and may have runs without a start time.
        """
        first = sort_order.order[0]
        if self._kind is StoreKind.FILE or (first.by, first.key) != ("attribute", "started_at"):
            return None
        return Keyset(sort_order, self._start_clause) if self._start_clause("gte", 0) is not None else None

    def _start_clause(self, operator: Operator, value: int) -> str | None:
        start = Predicate("attribute", "started_at", operator, value)
        return filter_clause(start, RUN_SYNTAX, self._capabilities)

    async def _first_children(
        self, siblings: Sequence[Children], search: Search, page: Page, executor: SearchExecutor
    ) -> dict[Scope, SearchPage]:
        # A store returns pages of one parent's children only, so one scan of all children is divided here.
        top_rows = {scope: executor.top_rows(page) for scope in siblings}
        async for scope, entities in self._scan_children(siblings, search, executor.scan_limit):
            top_rows[scope].add(entities, self.table(entities, executor.sort_order.columns))
        return {scope: rows.page() for scope, rows in top_rows.items()}

    async def _count_experiment_runs(self, scope: ExperimentScope, search: Search) -> dict[Scope, int | None]:
        try:
            return {scope: sum([len(entities) async for entities in self.scan_runs(scope, search)])}
        except LimitExceeded:
            return {scope: None}

    async def _count_children(self, siblings: Sequence[Children], search: Search) -> dict[Scope, int | None]:
        counts: dict[Scope, int | None] = {}
        try:
            async for scope, entities in self._scan_children(siblings, search, ScanLimit(self._max_scanned)):
                counts[scope] = (counts.get(scope) or 0) + len(entities)
        except LimitExceeded:
            return dict.fromkeys(siblings)
        return {scope: counts.get(scope, 0) for scope in siblings}

    async def _scan_children(
        self, siblings: Sequence[Children], search: Search, scan_limit: ScanLimit
    ) -> AsyncIterator[tuple[Children, Sequence[Any]]]:
        """Yield the child runs of one experiment's runs in lists, each list with its parent."""
        by_id = {scope.run_id: scope for scope in siblings}
        is_child: Condition = Predicate("attribute", "parent_run_id", "in", tuple(by_id))
        where = is_child if search.where is None else AllOf((is_child, search.where))
        experiment = (siblings[0].experiment_id,)
        async for entities in self.scan_runs(experiment, replace(search, where=where), scan_limit):
            parents = logged_values(self.table(entities, {"tags"}), "tags", PARENT_TAG)
            children: dict[str, list[Any]] = defaultdict(list)
            for parent, entity in zip(parents, entities, strict=True):
                children[parent].append(entity)
            for parent, entities_of_parent in children.items():
                yield by_id[parent], entities_of_parent

    async def _ordering_capabilities(self, search: Search, ids: Sequence[str]) -> Capabilities:
        """Return the store's capabilities, without orders by metric if the store ignores the case of keys."""
        by_metric = self._capabilities.orders_metrics and any(entry.by == "metric" for entry in search.order)
        if not by_metric or await self._case_sensitivity.is_case_sensitive(ids):
            return self._capabilities
        return replace(self._capabilities, orders_metrics=False)

    async def _experiment_ids(self, scope: ExperimentScope, where: Condition | None) -> Sequence[str]:
        """Return the experiments to search, without those whose ids the condition excludes."""
        ids = await self._reader.active_experiment_ids() if scope is None else list(dict.fromkeys(scope))
        condition = AllOf(tuple(_experiment_id_tests(where)))
        matched = matches(condition, Table(len(ids), {"experiment_id": ids}))
        return [experiment_id for experiment_id, match in zip(ids, matched, strict=True) if match]

    def _run_executor(self, search: Search, scan_limit: ScanLimit | None = None) -> SearchExecutor:
        return SearchExecutor(
            plan_runs(search, self._capabilities),
            run_sort_order(search.order),
            self.table,
            self._kind,
            scan_limit or ScanLimit(self._max_scanned),
        )

    def _experiment_executor(self, search: Search) -> SearchExecutor:
        plan = plan_experiments(search, self._capabilities)
        if self._kind not in _SORTS_EXPERIMENTS:
            plan = replace(plan, order_by=None)
        return SearchExecutor(
            plan,
            experiment_sort_order(search.order),
            entity_tables.experiment_table,
            self._kind,
            ScanLimit(self._max_scanned, "experiments"),
        )

    def _experiments_fetcher(self, plan: SearchPlan, search: Search) -> FetchPage:
        return self._reader.experiments_fetcher(plan, search.view)


def _scopes_by_kind(scopes: Iterable[Scope]) -> tuple[list[ExperimentScope], list[list[Children]]]:
    """Return the scopes that are experiments, and the child scopes grouped by experiment; each scope once."""
    experiments: list[ExperimentScope] = []
    siblings: dict[str, list[Children]] = defaultdict(list)
    for scope in dict.fromkeys(scopes):
        if isinstance(scope, Children):
            siblings[scope.experiment_id].append(scope)
        else:
            experiments.append(scope)
    return experiments, list(siblings.values())


def _experiment_id_tests(where: Condition | None) -> list[Condition]:
    parts = where.parts if isinstance(where, AllOf) else () if where is None else (where,)
    return [
        part
        for part in parts
        if isinstance(part, Predicate) and part.key == "experiment_id" and part.by == "attribute"
    ]
