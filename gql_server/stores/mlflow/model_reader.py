"""Logged models from MLflow's store, in as few calls as MLflow allows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from mlflow.entities import LoggedModel, Run, ViewType
from mlflow.store.entities.paged_list import PagedList

from gql_server.runtime.gather import gather_or_cancel
from gql_server.stores.ids import check_model_ids
from gql_server.stores.mlflow.filter_fallback import with_fallback
from gql_server.stores.mlflow.model_entity_tables import logged_model_table
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.mlflow.store_reader import StoreReader
from gql_server.stores.optional_features import default_if_unsupported, none_if_missing
from gql_server.stores.paging import OPAQUE_TOKENS, PageToken, SearchPage, count_rows, iterate_pages
from gql_server.stores.pushdown.executor import SORTS_TIES, SearchExecutor
from gql_server.stores.pushdown.keyset import Keyset
from gql_server.stores.pushdown.plan import SearchPlan
from gql_server.stores.pushdown.row_position import row_position
from gql_server.stores.pushdown.scan import ScanLimit
from gql_server.stores.pushdown.sort import SortOrder
from schema.ports.condition import Operator
from schema.ports.errors import LimitExceeded
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Order, Page

_MAX_SINGLE_LOOKUPS = 20
"""Up to this number, models are looked up one by one; for more, a search by ids is used."""
_IDS_PER_SEARCH = 200
_SEARCHES_BY_ID = {StoreKind.SQL, StoreKind.MLFLOW_SERVER}
"""Stores in which a search by ids works and costs less than a scan of all models."""
_MAX_PAGE_SIZE = {StoreKind.OTHER: 50}
"""Databricks returns at most this many per page."""
_NEWEST_FIRST = [{"field_name": "creation_timestamp", "ascending": False}]
_NEWEST_FIRST_THEN_ID = [*_NEWEST_FIRST, {"field_name": "model_id", "ascending": True}]
_NEWEST = SortOrder((Order("attribute", "created_at", descending=True),), "model_id")


class ModelReader:
    """Reads logged models through `calls`; scans at most `max_scanned` models per call."""

    def __init__(self, calls: StoreCalls, runs: StoreReader, kind: StoreKind, max_scanned: int) -> None:
        self._calls = calls
        self._runs = runs
        self._kind = kind
        self._max_scanned = max_scanned

    async def page_of_models(self, experiment_id: str, page: Page) -> SearchPage:
        """Return a page of an experiment's models, newest first."""
        plan = SearchPlan("", None, () if self._kind in SORTS_TIES else None)
        keyset = Keyset(_NEWEST, _creation_clause)
        make_table = partial(logged_model_table, kind=self._kind)
        limit = ScanLimit(self._max_scanned, "logged models")
        executor = SearchExecutor(plan, _NEWEST, make_table, OPAQUE_TOKENS, limit, keyset)
        clause = keyset.clause(row_position(page.after)) or ""
        fetch = with_fallback(lambda filter_: partial(self._fetch, [experiment_id], filter_ or None), clause)
        return await executor.page(fetch, page)

    async def count_models(self, experiment_id: str) -> int | None:
        """Count an experiment's models; return None above the scan limit."""
        return await count_rows(partial(self._fetch, [experiment_id], None), OPAQUE_TOKENS, self._max_scanned)

    async def models_of_runs(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[LoggedModel]]:
        """Return for each run the models that it is the source of or that are its outputs, newest first."""
        runs = await self._runs.runs(run_ids)
        source_models = await self._models_by_source_run(runs)
        known = {model.model_id: model for models in source_models.values() for model in models}
        outputs = {run_id: _outputs(run) for run_id, run in runs.items()}
        missing = {model_id for ids in outputs.values() for model_id in ids if model_id not in known}
        known |= await self.models_by_id(sorted(missing))
        models_by_run = {
            run_id: {model.model_id: model for model in source_models.get(run_id, ())}
            | {model_id: known[model_id] for model_id in outputs[run_id] if model_id in known}
            for run_id in runs
        }
        return {run_id: sorted(models.values(), key=_sort_key) for run_id, models in models_by_run.items()}

    async def models_by_id(self, ids: Sequence[str]) -> dict[str, LoggedModel]:
        """Return the models that exist."""
        check_model_ids(ids)
        distinct = list(dict.fromkeys(ids))
        if len(distinct) > _MAX_SINGLE_LOOKUPS and self._kind in _SEARCHES_BY_ID:
            experiment_ids = await self._runs.experiment_ids(ViewType.ALL)
            found_models = await self._search_by_ids("model_id", distinct, experiment_ids)
            return {model.model_id: model for model in found_models}
        models = await gather_or_cancel(
            none_if_missing(self._calls.call("get_logged_model", model_id)) for model_id in distinct
        )
        return {
            model_id: model for model_id, model in zip(distinct, models, strict=True) if model is not None
        }

    async def _models_by_source_run(self, runs: Mapping[str, Run]) -> dict[str, list[LoggedModel]]:
        experiment_ids = list(dict.fromkeys(str(run.info.experiment_id) for run in runs.values()))
        if self._kind in _SEARCHES_BY_ID:
            models = await self._search_by_ids("source_run_id", list(runs), experiment_ids)
        else:
            models = await self._scan(experiment_ids, None, lambda model: model.source_run_id in runs)
        by_run: dict[str, list[LoggedModel]] = {}
        for model in models:
            by_run.setdefault(str(model.source_run_id), []).append(model)
        return by_run

    async def _search_by_ids(
        self, key: str, ids: Sequence[str], experiment_ids: Sequence[str]
    ) -> list[LoggedModel]:
        chunks = [ids[start : start + _IDS_PER_SEARCH] for start in range(0, len(ids), _IDS_PER_SEARCH)]
        filters = [f"{key} IN ({', '.join(map(repr, chunk))})" for chunk in chunks]
        results = await gather_or_cancel(self._scan(experiment_ids, filter_) for filter_ in filters)
        return [model for models in results for model in models]

    async def _scan(
        self,
        experiment_ids: Sequence[str],
        filter_: str | None,
        matches: Callable[[LoggedModel], bool] = lambda _: True,
    ) -> list[LoggedModel]:
        models: list[LoggedModel] = []
        scanned = 0
        if not experiment_ids:
            return models
        async for page in iterate_pages(partial(self._fetch, experiment_ids, filter_), OPAQUE_TOKENS):
            scanned += len(page)
            if scanned > self._max_scanned:
                message = f"There are more than {self._max_scanned} logged models (GQL_MAX_SCANNED_RUNS)."
                raise LimitExceeded(message)
            models.extend(filter(matches, page))
        return models

    async def _fetch(
        self, experiment_ids: Sequence[str], filter_: str | None, size: int, token: PageToken
    ) -> Any:
        size = min(size, _MAX_PAGE_SIZE.get(self._kind, size))
        order_by = _NEWEST_FIRST_THEN_ID if self._kind in SORTS_TIES else _NEWEST_FIRST
        # Positional arguments, because stores name the parameters differently.
        result = self._calls.call(
            "search_logged_models", experiment_ids, filter_, None, size, order_by, token
        )
        return await default_if_unsupported(result, PagedList([], None))


def _creation_clause(operator: Operator, value: int) -> str:
    return f"creation_timestamp {'<=' if operator == 'lte' else '>='} {value}"


def _outputs(run: Run) -> list[str]:
    outputs: Iterable[Any] = run.outputs.model_outputs if run.outputs else ()
    return [output.model_id for output in outputs]


def _sort_key(model: LoggedModel) -> tuple[int, str]:
    return -model.creation_timestamp, model.model_id
