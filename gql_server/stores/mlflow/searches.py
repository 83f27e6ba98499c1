"""The port's searches over MLflow's own stores: each asked for what it can do, and finished here."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from gql_server.stores.ids import check_scopes
from gql_server.stores.limit_errors import too_many_groups
from gql_server.stores.mlflow import entity_tables
from gql_server.stores.mlflow.case_sensitivity import CaseSensitivity
from gql_server.stores.mlflow.paging import Found
from gql_server.stores.mlflow.store_calls import together
from gql_server.stores.mlflow.store_reader import StoreReader
from gql_server.stores.pushdown.aggregate import RunAggregator
from gql_server.stores.pushdown.capabilities import Capabilities
from gql_server.stores.pushdown.evaluate import logged, matches
from gql_server.stores.pushdown.executor import SearchExecutor
from gql_server.stores.pushdown.plan import plan_experiments, plan_runs
from gql_server.stores.pushdown.scan import ScanLimit
from gql_server.stores.pushdown.sort import experiment_ordering, run_ordering
from schema.ports.condition import PARENT_TAG, AllOf, Condition, Predicate
from schema.ports.errors import LimitExceeded
from schema.ports.store_kind import StoreKind
from schema.ports.table import Span, Table
from schema.ports.tracking import (
    Children,
    ExperimentScope,
    Grouping,
    Groups,
    LoggedKind,
    Page,
    Pages,
    Position,
    Scope,
    Search,
)

_NOTHING = Found([], [], has_next=False)


class Searches:
    """Searches through `reader`; at most `max_scanned` rows are gone through for one call of the port."""

    def __init__(
        self, reader: StoreReader, kind: StoreKind, store: Capabilities, max_scanned: int, max_groups: int
    ) -> None:
        self._reader = reader
        self._kind = kind
        self._max_scanned = max_scanned
        self._max_groups = max_groups
        self._store = store
        self._key_case = CaseSensitivity(reader)

    async def experiments(self, search: Search, page: Page) -> Pages:
        """Return one page of experiments."""
        found = await self._experiments(search).page(self._ask_experiments(search), page)
        rows = entity_tables.experiment_table(found.rows, page.columns)
        return Pages(rows, [(0, rows.size)], [found.has_next], found.places.__getitem__)

    async def count_experiments(self, search: Search) -> int | None:
        """Count the matching experiments; None where that passes the scan limit."""
        scan = self._experiments(search).scan(self._ask_experiments(search))
        try:
            return sum([len(entities) async for entities in scan])
        except LimitExceeded:
            return None

    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        """Return the first runs of each scope."""
        check_scopes(scopes, self._kind)
        finishing = self._runs(search)
        plain, families = _apart(scopes)

        async def of_experiments(scope: ExperimentScope) -> dict[Scope, Found]:
            ids = await self._ids(scope, search.where)
            if not ids:
                return {scope: _NOTHING}
            own = replace(finishing, plan=plan_runs(search, await self._orderable(search, ids)))
            return {scope: await own.page(self._reader.run_search(ids, own.plan, search.view), page)}

        async def of_family(family: Sequence[Children]) -> dict[Scope, Found]:
            return await self._first_children(family, search, page, finishing.bound)

        parts = [*map(of_experiments, plain), *map(of_family, families)]
        found = {scope: one for part in await _all(parts) for scope, one in part.items()}
        return self._as_pages([found[scope] for scope in dict.fromkeys(scopes)], scopes, page.columns)

    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> list[int | None]:
        """Count the matching runs of each scope; None where that passes the scan limit."""
        check_scopes(scopes, self._kind)
        plain, families = _apart(scopes)

        async def of_experiments(scope: ExperimentScope) -> dict[Scope, int | None]:
            return {scope: sum([len(entities) async for entities in self.scan_runs(scope, search)])}

        async def of_family(family: Sequence[Children]) -> dict[Scope, int | None]:
            counts: dict[Scope, int | None] = dict.fromkeys(family, 0)
            async for scope, entities in self._scan_children(family, search, ScanLimit(self._max_scanned)):
                counts[scope] = (counts[scope] or 0) + len(entities)
            return counts

        async def or_none(counting: Any, of: Iterable[Scope]) -> dict[Scope, int | None]:
            try:
                counted: dict[Scope, int | None] = await counting
            except LimitExceeded:
                return dict.fromkeys(of)
            return counted

        parts = [or_none(of_experiments(scope), [scope]) for scope in plain]
        parts += [or_none(of_family(family), family) for family in families]
        found = {scope: count for part in await _all(parts) for scope, count in part.items()}
        return [found[scope] for scope in scopes]

    async def scan_runs(
        self, scope: ExperimentScope, search: Search, bound: ScanLimit | None = None
    ) -> AsyncIterator[Sequence[Any]]:
        """Give all runs of experiments that match, in lists; an order is of no use, and is not asked for."""
        ids = await self._ids(scope, search.where)
        finishing = self._runs(replace(search, order=()), bound)
        if ids:
            async for entities in finishing.scan(self._reader.run_search(ids, finishing.plan, search.view)):
                yield entities

    async def run_groups(self, scope: ExperimentScope, search: Search, grouping: Grouping) -> Groups:
        """Group the matching runs; raise `LimitExceeded` for more than `max_groups` groups or summaries."""
        check_scopes([scope], self._kind)
        grouper = RunAggregator(grouping)
        async for entities in self.scan_runs(scope, search):
            grouper.add(self.table(entities, grouper.columns))
        return grouper.groups(self._max_groups)

    async def logged_keys(self, by: LoggedKind, experiment_ids: Sequence[str]) -> list[list[str]]:
        """Return the distinct keys of each experiment's active runs; `LimitExceeded` as for groups."""
        check_scopes([tuple(experiment_ids)], self._kind)
        bound = ScanLimit(self._max_scanned)

        async def keys_of(experiment_id: str) -> list[str]:
            keys: set[str] = set()
            async for entities in self.scan_runs((experiment_id,), Search(), bound):
                keys.update(self.table(entities, {f"{by}s"})[f"{by}s"].rows["key"])
                if len(keys) > self._max_groups:
                    raise too_many_groups(self._max_groups)
            return sorted(keys)

        distinct = list(dict.fromkeys(experiment_ids))
        found = dict(zip(distinct, await _all(map(keys_of, distinct)), strict=True))
        return [found[experiment_id] for experiment_id in experiment_ids]

    def table(self, runs: Sequence[Any], columns: Collection[str]) -> Table:
        """Return runs of the store as a table."""
        return entity_tables.run_table(runs, columns, self._kind)

    async def _orderable(self, search: Search, ids: Sequence[str]) -> Capabilities:
        """Return what the store can do; it orders by the metric asked for only where it finds no other."""
        by_metric = self._store.orders_metrics and any(entry.by == "metric" for entry in search.order)
        if not by_metric or await self._key_case.is_told(ids):
            return self._store
        return replace(self._store, orders_metrics=False)

    async def _first_children(
        self, family: Sequence[Children], search: Search, page: Page, bound: ScanLimit
    ) -> dict[Scope, Found]:
        # A store pages through one parent's children at a time; of all their children, each gets its own.
        finishing = self._runs(search)
        firsts = {scope: finishing.first(page) for scope in family}
        async for scope, entities in self._scan_children(family, search, bound):
            firsts[scope].add(entities, self.table(entities, finishing.ordering.columns))
        return {scope: first.found() for scope, first in firsts.items()}

    async def _scan_children(
        self, family: Sequence[Children], search: Search, bound: ScanLimit
    ) -> AsyncIterator[tuple[Children, Sequence[Any]]]:
        """Give the children of runs of one experiment, parent by parent, in lists."""
        by_id = {scope.run_id: scope for scope in family}
        theirs: Condition = Predicate("attribute", "parent_run_id", "in", tuple(by_id))
        where = theirs if search.where is None else AllOf((theirs, search.where))
        experiment = (family[0].experiment_id,)
        async for entities in self.scan_runs(experiment, replace(search, where=where), bound):
            parents = logged(self.table(entities, {"tags"}), "tags", PARENT_TAG)
            grouped: dict[str, list[Any]] = defaultdict(list)
            for parent, entity in zip(parents, entities, strict=True):
                grouped[parent].append(entity)
            for parent, own in grouped.items():
                yield by_id[parent], own

    async def _ids(self, scope: ExperimentScope, where: Condition | None) -> Sequence[str]:
        """Return the experiments to search, but those that the condition leaves out by their ids."""
        ids = await self._reader.active_experiments() if scope is None else list(dict.fromkeys(scope))
        held = matches(AllOf(tuple(_of_experiments(where))), Table(len(ids), {"experiment_id": ids}))
        return [own for own, holds in zip(ids, held, strict=True) if holds]

    def _runs(self, search: Search, bound: ScanLimit | None = None) -> SearchExecutor:
        return SearchExecutor(
            plan_runs(search, self._store),
            run_ordering(search.order),
            self.table,
            self._kind,
            bound or ScanLimit(self._max_scanned),
        )

    def _experiments(self, search: Search) -> SearchExecutor:
        return SearchExecutor(
            plan_experiments(search, self._store),
            experiment_ordering(search.order),
            entity_tables.experiment_table,
            self._kind,
            ScanLimit(self._max_scanned),
        )

    def _ask_experiments(self, search: Search) -> Any:
        return self._reader.experiment_search(plan_experiments(search, self._store), search.view)

    def _as_pages(self, found: Sequence[Found], scopes: Sequence[Scope], columns: Collection[str]) -> Pages:
        runs: list[Any] = []
        places: list[Position] = []
        spans: dict[Scope, Span] = {}
        for scope, part in zip(dict.fromkeys(scopes), found, strict=True):
            spans[scope] = (len(runs), len(runs) + len(part.rows))
            runs.extend(part.rows)
            places.extend(part.places)
        more = dict(zip(dict.fromkeys(scopes), (part.has_next for part in found), strict=True))
        return Pages(
            rows=self.table(runs, columns),
            spans=[spans[scope] for scope in scopes],
            has_next=[more[scope] for scope in scopes],
            position=places.__getitem__,
        )


def _apart(scopes: Sequence[Scope]) -> tuple[list[ExperimentScope], list[list[Children]]]:
    """Return the scopes that are experiments, and the children of runs by their experiment."""
    plain: list[ExperimentScope] = []
    families: dict[str, list[Children]] = defaultdict(list)
    for scope in dict.fromkeys(scopes):
        if isinstance(scope, Children):
            families[scope.experiment_id].append(scope)
        else:
            plain.append(scope)
    return plain, list(families.values())


def _of_experiments(where: Condition | None) -> list[Condition]:
    parts = where.parts if isinstance(where, AllOf) else () if where is None else (where,)
    return [
        part
        for part in parts
        if isinstance(part, Predicate) and part.key == "experiment_id" and part.by == "attribute"
    ]


async def _all(parts: Iterable[Any]) -> Sequence[Any]:
    return await together([asyncio.ensure_future(part) for part in parts])
