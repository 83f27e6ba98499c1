"""Experiments and runs from MLflow's store, in as few calls as MLflow allows."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from mlflow.entities import Experiment, Run, ViewType
from mlflow.exceptions import MlflowException

from gql_server.runtime.gather import gather_or_cancel
from gql_server.stores.ids import check_experiment_ids, check_run_ids
from gql_server.stores.mlflow.client_errors import code_of, no_entity
from gql_server.stores.mlflow.filter_fallback import with_fallback
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.paging import FetchPage, PageToken, iterate_pages
from gql_server.stores.pushdown.capabilities import Capabilities, capabilities_of
from gql_server.stores.pushdown.plan import SearchPlan
from schema.ports.errors import LimitExceeded
from schema.ports.lifecycle import LifecycleView
from schema.ports.store_kind import StoreKind

_VIEWS = {
    LifecycleView.ACTIVE: ViewType.ACTIVE_ONLY,
    LifecycleView.DELETED: ViewType.DELETED_ONLY,
    LifecycleView.ALL: ViewType.ALL,
}
_MAX_SINGLE_LOOKUPS = 20
"""Up to this number, experiments are looked up one by one; for more, all experiments are listed."""
_IDS_PER_SEARCH = 200
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"}
_MAX_SINGLE_RUN_LOOKUPS = {
    StoreKind.SQL: 1,
    StoreKind.MLFLOW_SERVER: 1,
    StoreKind.AZURE_ML: _MAX_SINGLE_LOOKUPS,
}
"""Up to this number, runs are looked up one by one; for more, a search by ids costs less.

Azure's search may not yet include what was logged a moment ago. In stores that are not listed all runs are
looked up one by one: a file store reads everything for a search.
"""


class StoreReader:
    """Reads experiments and runs through `calls`; scans at most `max_scanned` experiments per call."""

    def __init__(
        self, calls: StoreCalls, kind: StoreKind, max_scanned: int, capabilities: Capabilities | None = None
    ) -> None:
        self._calls = calls
        self._kind = kind
        self._max_scanned = max_scanned
        self._max_page_size = (capabilities or capabilities_of(kind)).max_page_size

    def experiments_fetcher(self, plan: SearchPlan, view: LifecycleView) -> FetchPage:
        """Return a function that fetches pages of experiments."""
        return with_fallback(
            lambda filter_string: partial(
                self._fetch_experiments,
                view_type=_VIEWS[view],
                filter_string=filter_string,
                order_by=list(plan.order_by or ()) or None,
            ),
            plan.filter,
        )

    def runs_fetcher(self, experiment_ids: Sequence[str], plan: SearchPlan, view: LifecycleView) -> FetchPage:
        """Return a function that fetches pages of these experiments' runs."""
        ids, order_by = list(experiment_ids), list(plan.order_by or ())
        return with_fallback(
            lambda filter_string: partial(self._fetch_runs, ids, filter_string, _VIEWS[view], order_by),
            plan.filter,
        )

    async def active_experiment_ids(self) -> list[str]:
        """Return the ids of all active experiments."""
        return await self.experiment_ids(ViewType.ACTIVE_ONLY)

    async def experiment_ids(self, view: int) -> list[str]:
        """Return the ids of all experiments in an MLflow view."""
        return [str(experiment.experiment_id) async for experiment in self._all_experiments(view)]

    async def experiments(self, ids: Sequence[str]) -> Mapping[str, Experiment]:
        """Return the experiments that exist, deleted ones included."""
        check_experiment_ids(ids, self._kind)
        distinct = list(dict.fromkeys(ids))
        if len(distinct) <= _MAX_SINGLE_LOOKUPS:
            return await self._get_each("get_experiment", distinct, _experiment_id)
        return await self._find_in_list(distinct, _experiment_id)

    async def experiments_by_name(self, names: Sequence[str]) -> Mapping[str, Experiment]:
        """Return the experiments that exist by exact name, deleted ones included."""
        distinct = [name for name in dict.fromkeys(names) if name]
        # A file store lists all experiments for each name, and cannot find a name that contains a quote.
        if len(distinct) <= _MAX_SINGLE_LOOKUPS and self._kind is not StoreKind.FILE:
            return await self._get_each("get_experiment_by_name", distinct, lambda each: each.name)
        return await self._find_in_list(distinct, lambda experiment: experiment.name)

    async def matches_name_exactly(self, name: str) -> bool:
        """Return whether a lookup by this name does not return an experiment with a different name."""
        experiment = await self._get_or_none("get_experiment_by_name", name)
        return experiment is None or experiment.name == name

    async def runs(self, ids: Sequence[str]) -> Mapping[str, Run]:
        """Return the runs that exist, deleted ones included."""
        check_run_ids(ids)
        distinct = list(dict.fromkeys(ids))
        if len(distinct) <= _MAX_SINGLE_RUN_LOOKUPS.get(self._kind, len(distinct)):
            return await self._get_each("get_run", distinct, lambda run: run.info.run_id)
        experiment_ids = await self.experiment_ids(ViewType.ALL)
        starts = range(0, len(distinct), _IDS_PER_SEARCH)
        chunks = [distinct[start : start + _IDS_PER_SEARCH] for start in starts]
        pages = await gather_or_cancel(self._search_runs_by_id(chunk, experiment_ids) for chunk in chunks)
        return {run.info.run_id: run for page in pages for run in page}

    async def _get_each(
        self, method: str, keys: Sequence[str], key_of: Callable[[Any], str]
    ) -> dict[str, Any]:
        entities = await gather_or_cancel(self._get_or_none(method, key) for key in keys)
        # The client makes an entity without a key of a response that has none.
        if any(entity is not None and not key_of(entity) for entity in entities):
            raise no_entity()
        # A database may return an entity with a different key that its collation treats as equal.
        return {
            key: entity
            for key, entity in zip(keys, entities, strict=True)
            if entity is not None and key_of(entity) == key
        }

    async def _find_in_list(
        self, keys: Sequence[str], key_of: Callable[[Experiment], str]
    ) -> Mapping[str, Experiment]:
        requested = set(keys)
        return {
            key: experiment
            async for experiment in self._all_experiments(ViewType.ALL)
            if (key := key_of(experiment)) in requested
        }

    async def _get_or_none(self, method: str, key: str) -> Any:
        try:
            return await self._calls.call(method, key)
        except MlflowException as error:
            if code_of(error) in _ABSENT:
                return None
            raise

    async def _search_runs_by_id(self, ids: Sequence[str], experiment_ids: Sequence[str]) -> Sequence[Run]:
        quoted = ", ".join(f"'{run_id}'" for run_id in ids)
        runs: Sequence[Run] = await self._fetch_runs(
            experiment_ids, f"attributes.run_id IN ({quoted})", ViewType.ALL, [], len(ids), None
        )
        return runs

    async def _all_experiments(self, view: int) -> AsyncIterator[Experiment]:
        fetch = partial(self._fetch_experiments, view_type=view, filter_string=None, order_by=None)
        scanned = 0
        async for page in iterate_pages(fetch, self._kind):
            scanned += len(page)
            if scanned > self._max_scanned:
                message = f"There are more than {self._max_scanned} experiments (GQL_MAX_SCANNED_RUNS)."
                raise LimitExceeded(message)
            for experiment in page:
                yield experiment

    async def _fetch_experiments(self, size: int, token: PageToken, **search: Any) -> Any:
        size = min(size, self._max_page_size)
        return await self._calls.call("search_experiments", max_results=size, page_token=token, **search)

    async def _fetch_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str,
        view: int,
        order_by: Sequence[str],
        size: int,
        token: PageToken,
    ) -> Any:
        size = min(size, self._max_page_size)
        return await self._calls.call(
            "search_runs", experiment_ids, filter_string, view, size, order_by, page_token=token
        )


def _experiment_id(experiment: Experiment) -> str:
    return str(experiment.experiment_id)
