"""What the port needs of MLflow's store, in as few calls as MLflow lets one make."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from mlflow.entities import Experiment, Metric, Run, ViewType
from mlflow.exceptions import MlflowException

from gql_server.stores.errors import code_of
from gql_server.stores.ids import check_experiment_ids, check_run_ids
from gql_server.stores.mlflow import paging
from gql_server.stores.mlflow.bulk_histories import BulkHistories
from gql_server.stores.mlflow.bulk_points import (
    HistoryRequest,
    PointBudget,
    Points,
    curve_of_metrics,
    of_metrics,
    sample_of_parts,
)
from gql_server.stores.mlflow.store_calls import StoreCalls, together
from gql_server.stores.pushdown.capabilities import Capabilities, capabilities_of
from gql_server.stores.pushdown.plan import Plan
from schema.ports.errors import LimitExceeded
from schema.ports.lifecycle import LifecycleView
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Series

_T = TypeVar("_T")
_VIEWS = {
    LifecycleView.ACTIVE: ViewType.ACTIVE_ONLY,
    LifecycleView.DELETED: ViewType.DELETED_ONLY,
    LifecycleView.ALL: ViewType.ALL,
}
_FEW = 20
"""Up to so many experiments are looked up one by one; of more, all are listed."""
_IDS_AT_ONCE = 200
_POINTS_AT_ONCE = 25_000
_REFUSALS = {"INVALID_PARAMETER_VALUE", "BAD_REQUEST"}
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"}
_GOT = {StoreKind.SQL: 1, StoreKind.MLFLOW_SERVER: 1, StoreKind.AZURE_ML: _FEW}
"""Up to how many runs are got one by one; of more, a search for their ids costs less.

Azure's search may lag behind what was logged a moment ago. Elsewhere all are got: a file store reads
everything for a search.
"""


class StoreReader:
    """Reads entities through `calls`; goes through at most `max_scanned` rows to count or to list."""

    def __init__(
        self, calls: StoreCalls, kind: StoreKind, max_scanned: int, store: Capabilities | None = None
    ) -> None:
        self._calls = calls
        self._kind = kind
        self._max_scanned = max_scanned
        self._store = store or capabilities_of(kind)
        self._bulk = BulkHistories(calls, kind, self._points)

    def experiment_search(self, plan: Plan, view: LifecycleView) -> paging.Search:
        """Return a search for experiments as something to page through."""
        return self._narrowed(
            plan,
            lambda filter_string: partial(
                self._search_experiments,
                view_type=_VIEWS[view],
                filter_string=filter_string,
                order_by=list(plan.order_by or ()) or None,
            ),
        )

    def run_search(self, experiment_ids: Sequence[str], plan: Plan, view: LifecycleView) -> paging.Search:
        """Return a search for runs of these experiments as something to page through."""
        ids, order_by = list(experiment_ids), list(plan.order_by or ())
        return self._narrowed(
            plan,
            lambda filter_string: partial(self._search_runs, ids, filter_string, _VIEWS[view], order_by),
        )

    async def active_experiments(self) -> list[str]:
        """Return the ids of all experiments that are not deleted."""
        return await self.experiment_ids(ViewType.ACTIVE_ONLY)

    async def experiments(self, ids: Sequence[str]) -> Mapping[str, Experiment]:
        """Return those of the experiments that are there, deleted ones too."""
        check_experiment_ids(ids, self._kind)
        distinct = list(dict.fromkeys(ids))
        if len(distinct) <= _FEW:
            return await self._each("get_experiment", distinct, _experiment_id)
        return await self._listed(distinct, _experiment_id)

    async def experiments_named(self, names: Sequence[str]) -> Mapping[str, Experiment]:
        """Return those of the experiments that are there by exact name, deleted ones too."""
        distinct = [name for name in dict.fromkeys(names) if name]
        # A file store lists all for each name, and cannot find one with a quote in it.
        if len(distinct) <= _FEW and self._kind is not StoreKind.FILE:
            return await self._each("get_experiment_by_name", distinct, lambda experiment: experiment.name)
        return await self._listed(distinct, lambda experiment: experiment.name)

    async def tells_name(self, name: str) -> bool:
        """Say whether a store, asked for an experiment by a name, gives none that has another one."""
        found = await self._or_none("get_experiment_by_name", name)
        return found is None or found.name == name

    async def runs(self, ids: Sequence[str]) -> Mapping[str, Run]:
        """Return those of the runs that are there, deleted ones too."""
        check_run_ids(ids)
        distinct = list(dict.fromkeys(ids))
        if len(distinct) <= _GOT.get(self._kind, len(distinct)):
            return await self._each("get_run", distinct, lambda run: run.info.run_id)
        everywhere = await self.experiment_ids(ViewType.ALL)
        chunks = [distinct[start : start + _IDS_AT_ONCE] for start in range(0, len(distinct), _IDS_AT_ONCE)]
        pages = await together([asyncio.ensure_future(self._runs_in(chunk, everywhere)) for chunk in chunks])
        return {run.info.run_id: run for page in pages for run in page}

    async def histories(self, series: Sequence[Series], steps: HistoryRequest) -> Mapping[Series, Points]:
        """Return the points of each (run id, metric key) between two steps, in the port's order."""
        check_run_ids(run_id for run_id, _ in series)
        if self._kind is StoreKind.MLFLOW_SERVER:
            return await self._bulk.read(series, steps)
        found = await together([asyncio.ensure_future(self._points(one, steps)) for one in series])
        return dict(zip(series, found, strict=True))

    def _narrowed(self, plan: Plan, search_of: Callable[[str], paging.Search]) -> paging.Search:
        """Return a search that goes without what this server added, where the store refuses that."""
        whole = search_of(plan.filter)
        if not plan.narrowing:
            return whole

        async def search(size: int, token: paging.Token) -> Any:
            try:
                return await whole(size, token)
            except MlflowException as error:
                if code_of(error) not in _REFUSALS:
                    raise
            # An older server does not know some clauses, and some databases do not take what MLflow makes of
            # them; what is let through then is tested here anyway.
            return await search_of(plan.own)(size, token)

        return search

    async def _each(self, method: str, keys: Sequence[str], key_of: Callable[[Any], str]) -> dict[str, Any]:
        found = await together([asyncio.ensure_future(self._or_none(method, key)) for key in keys])
        # A database may take a key for another one that its collation does not tell apart.
        return {
            key: entity
            for key, entity in zip(keys, found, strict=True)
            if entity is not None and key_of(entity) == key
        }

    async def _listed(
        self, keys: Sequence[str], key_of: Callable[[Experiment], str]
    ) -> Mapping[str, Experiment]:
        wanted = set(keys)
        return {
            key: experiment
            async for experiment in self._every_experiment(ViewType.ALL)
            if (key := key_of(experiment)) in wanted
        }

    async def _or_none(self, method: str, key: str) -> Any:
        try:
            return await self._calls.one(method, key)
        except MlflowException as error:
            if code_of(error) in _ABSENT:
                return None
            raise

    async def _runs_in(self, ids: Sequence[str], experiment_ids: Sequence[str]) -> Sequence[Run]:
        listed = ", ".join(f"'{run_id}'" for run_id in ids)
        found: Sequence[Run] = await self._search_runs(
            experiment_ids, f"attributes.run_id IN ({listed})", ViewType.ALL, [], len(ids), None
        )
        return found

    async def experiment_ids(self, view: int) -> list[str]:
        """Return the ids of all experiments that a view sees."""
        return [str(experiment.experiment_id) async for experiment in self._every_experiment(view)]

    async def _every_experiment(self, view: int) -> AsyncIterator[Experiment]:
        search = partial(self._search_experiments, view_type=view, filter_string=None, order_by=None)
        seen = 0
        async for page in paging.pages(search, self._kind):
            seen += len(page)
            if seen > self._max_scanned:
                message = f"There are more than {self._max_scanned} experiments (GQL_MAX_SCANNED_RUNS)."
                raise LimitExceeded(message)
            for experiment in page:
                yield experiment

    async def _search_experiments(self, size: int, token: paging.Token, **search: Any) -> Any:
        size = min(size, self._store.largest_page)
        return await self._calls.one("search_experiments", max_results=size, page_token=token, **search)

    async def _search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str,
        view: int,
        order: Sequence[str],
        size: int,
        token: paging.Token,
    ) -> Any:
        size = min(size, self._store.largest_page)
        return await self._calls.one(
            "search_runs", experiment_ids, filter_string, view, size, order, page_token=token
        )

    async def _points(self, one: Series, steps: HistoryRequest) -> Points:
        sample = steps.sample
        if sample is None:
            pages = await self._history(*one, steps.reading, list[Metric])
            return of_metrics(chain.from_iterable(pages), self._kind, steps)
        parts = await self._history(
            *one, steps.reading, lambda page: curve_of_metrics(page, self._kind, steps)
        )
        points = await self._calls.apply(lambda _: sample_of_parts(parts, sample))
        steps.keeping.spend(len(points.step))
        return points

    async def _history(
        self, run_id: str, key: str, budget: PointBudget, make: Callable[[Iterable[Metric]], _T]
    ) -> list[_T]:
        """Return what `make` makes of each page, in the thread that reads it."""
        parts: list[_T] = []
        token: paging.Token = None
        # Nothing is logged under an empty key, and an MLflow server takes it for none at all.
        while key:
            try:
                part, size, last = await self._calls.apply(self._page, make, run_id, key, token, reads=True)
            except MlflowException as error:
                if self._no_such_metric(error):
                    break
                raise
            budget.spend(size)
            parts.append(part)
            following = paging.text_of(last)
            if following is None or following == token:
                break
            token = following
        return parts

    def _page(
        self, store: Any, make: Callable[[Iterable[Metric]], _T], run_id: str, key: str, token: paging.Token
    ) -> tuple[_T, int, Any]:
        self._calls.count("get_metric_history")
        most = min(_POINTS_AT_ONCE, self._store.most_points)
        page = store.get_metric_history(run_id, key, most, token)
        return make(page), len(page), getattr(page, "token", None)

    def _no_such_metric(self, error: MlflowException) -> bool:
        code = code_of(error)
        # A file store refuses a key that cannot be a file's name, where the others just have no such metric.
        return code in _ABSENT or (self._kind is StoreKind.FILE and code == "INVALID_PARAMETER_VALUE")


def _experiment_id(experiment: Experiment) -> str:
    return str(experiment.experiment_id)
