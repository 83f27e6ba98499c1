"""What the port needs of MLflow's store, in as few calls as MLflow lets one make."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from mlflow.entities import Experiment, Metric, Run, ViewType
from mlflow.exceptions import MlflowException

from gql_server.tracking import paging
from gql_server.tracking.bulk_histories import BulkHistories
from gql_server.tracking.bulk_points import Budget, Points, Steps, of_metrics
from gql_server.tracking.faults import code_of
from gql_server.tracking.ids import check_experiment_ids, check_run_ids
from gql_server.tracking.order import order_of_experiments, order_of_runs
from gql_server.tracking.store_calls import StoreCalls, together
from schema.errors import BadUserInput, LimitExceeded
from schema.lifecycle import LifecycleView
from schema.store_kind import StoreKind
from schema.tracking import Scope, Search, Series

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
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"}
_SEARCHES_BY_ID = {StoreKind.SQL, StoreKind.MLFLOW_SERVER}
"""Where a search for run ids is known to cost less than to get each run; a file store reads all for it."""


class StoreReader:
    """Reads entities through `calls`; goes through at most `max_scanned` rows to count or to list."""

    def __init__(self, calls: StoreCalls, kind: StoreKind, max_scanned: int) -> None:
        self._calls = calls
        self._kind = kind
        self._max_scanned = max_scanned
        self._bulk = BulkHistories(calls, kind, self._points)

    def experiment_search(self, search: Search) -> paging.Search:
        """Return the search as something to page through."""
        return partial(
            self._search_experiments,
            view_type=_VIEWS[search.view],
            filter_string=_filter(search),
            order_by=order_of_experiments(search.order) or None,
        )

    async def each_scope(
        self, scopes: Sequence[Scope], search: Search, ask: Callable[[paging.Search], Awaitable[_T]]
    ) -> Mapping[Scope, _T | None]:
        """Put a question to the search in each distinct scope, all at once; None for a scope of nothing."""
        distinct = list(dict.fromkeys(scopes))
        for scope in distinct:
            check_experiment_ids(scope or (), self._kind)
        order, filter_string = order_of_runs(search.order), _filter(search)
        active = await self._ids(ViewType.ACTIVE_ONLY) if None in distinct else []

        async def answer(scope: Scope) -> _T | None:
            ids = active if scope is None else list(scope)
            if not ids:
                return None
            return await ask(partial(self._search_runs, ids, filter_string, _VIEWS[search.view], order))

        answers = await together([asyncio.ensure_future(answer(scope)) for scope in distinct])
        return dict(zip(distinct, answers, strict=True))

    async def count(self, search: paging.Search) -> int | None:
        """Count what a search finds; None where that passes the scan limit."""
        total = 0
        async for page in paging.pages(search):
            total += len(page)
            if total > self._max_scanned:
                return None
        return total

    async def experiments(self, ids: Sequence[str]) -> Mapping[str, Experiment]:
        """Return those of the experiments that are there, deleted ones too."""
        check_experiment_ids(ids, self._kind)
        distinct = list(dict.fromkeys(ids))
        if len(distinct) <= _FEW:
            return await self._each("get_experiment", distinct)
        return await self._listed(distinct, lambda experiment: str(experiment.experiment_id))

    async def experiments_named(self, names: Sequence[str]) -> Mapping[str, Experiment]:
        """Return those of the experiments that are there by exact name, deleted ones too."""
        distinct = [name for name in dict.fromkeys(names) if name]
        # A file store lists all for each name, and cannot find one with a quote in it.
        if len(distinct) <= _FEW and self._kind is not StoreKind.FILE:
            return await self._each("get_experiment_by_name", distinct)
        return await self._listed(distinct, lambda experiment: experiment.name)

    async def runs(self, ids: Sequence[str]) -> Mapping[str, Run]:
        """Return those of the runs that are there, deleted ones too."""
        check_run_ids(ids)
        distinct = list(dict.fromkeys(ids))
        if len(distinct) <= 1 or self._kind not in _SEARCHES_BY_ID:
            return await self._each("get_run", distinct)
        everywhere = await self._ids(ViewType.ALL)
        chunks = [distinct[start : start + _IDS_AT_ONCE] for start in range(0, len(distinct), _IDS_AT_ONCE)]
        pages = await together([asyncio.ensure_future(self._runs_in(chunk, everywhere)) for chunk in chunks])
        return {run.info.run_id: run for page in pages for run in page}

    async def histories(self, series: Sequence[Series], steps: Steps) -> Mapping[Series, Points]:
        """Return the points of each (run id, metric key) between two steps, in the port's order."""
        check_run_ids(run_id for run_id, _ in series)
        if self._kind is StoreKind.MLFLOW_SERVER:
            return await self._bulk.read(series, steps)
        found = await together([asyncio.ensure_future(self._points(one, steps)) for one in series])
        return dict(zip(series, found, strict=True))

    async def _each(self, method: str, keys: Sequence[str]) -> dict[str, Any]:
        found = await together([asyncio.ensure_future(self._or_none(method, key)) for key in keys])
        return {key: entity for key, entity in zip(keys, found, strict=True) if entity is not None}

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

    async def _ids(self, view: int) -> list[str]:
        return [str(experiment.experiment_id) async for experiment in self._every_experiment(view)]

    async def _every_experiment(self, view: int) -> AsyncIterator[Experiment]:
        search = partial(self._search_experiments, view_type=view, filter_string=None, order_by=None)
        seen = 0
        async for page in paging.pages(search):
            seen += len(page)
            if seen > self._max_scanned:
                message = f"There are more than {self._max_scanned} experiments (GQL_MAX_SCANNED_RUNS)."
                raise LimitExceeded(message)
            for experiment in page:
                yield experiment

    async def _search_experiments(self, size: int, token: paging.Token, **search: Any) -> Any:
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
        return await self._calls.one(
            "search_runs", experiment_ids, filter_string, view, size, order, page_token=token
        )

    async def _points(self, one: Series, steps: Steps) -> Points:
        return of_metrics(await self._history(*one, steps.budget), self._kind, steps)

    async def _history(self, run_id: str, key: str, budget: Budget) -> list[Metric]:
        points: list[Metric] = []
        token: paging.Token = None
        # Nothing is logged under an empty key, and an MLflow server takes it for none at all.
        while key:
            try:
                page = await self._calls.one("get_metric_history", run_id, key, _POINTS_AT_ONCE, token)
            except MlflowException as error:
                if self._no_such_metric(error):
                    break
                raise
            budget.spend(len(page))
            points.extend(page)
            following = paging.text_of(getattr(page, "token", None))
            if following is None or following == token:
                break
            token = following
        return points

    def _no_such_metric(self, error: MlflowException) -> bool:
        code = code_of(error)
        # A file store refuses a key that cannot be a file's name, where the others just have no such metric.
        return code in _ABSENT or (self._kind is StoreKind.FILE and code == "INVALID_PARAMETER_VALUE")


def _filter(search: Search) -> str:
    text = search.filter or ""
    if "\x00" in text:
        message = "filter must not hold a NUL character."
        raise BadUserInput(message)
    return text
