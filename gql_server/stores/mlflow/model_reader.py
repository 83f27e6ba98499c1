"""Logged models from MLflow's store, in as few calls as MLflow lets one make."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from mlflow.entities import LoggedModel, Run, ViewType
from mlflow.store.entities.paged_list import PagedList

from gql_server.stores.ids import check_model_ids
from gql_server.stores.mlflow import paging
from gql_server.stores.mlflow.store_calls import StoreCalls, together
from gql_server.stores.mlflow.store_reader import StoreReader
from gql_server.stores.optional_features import unless_absent, unless_lacking
from schema.ports.errors import LimitExceeded
from schema.ports.store_kind import StoreKind

PLACES = StoreKind.MLFLOW_SERVER
"""Places between logged models are named by the store's tokens everywhere: none of these is an offset."""
_FEW = 20
"""Up to so many models are looked up one by one; more are searched for."""
_IDS_AT_ONCE = 200
_SEARCHES_BY_ID = {StoreKind.SQL, StoreKind.MLFLOW_SERVER}
"""Where a search by ids is known to work and to cost less than to look at all models."""
_LARGEST_PAGE = {StoreKind.OTHER: 50}
"""Databricks returns no more at once."""
_NEWEST = [{"field_name": "creation_timestamp", "ascending": False}]


class ModelReader:
    """Reads logged models through `calls`; goes through at most `max_scanned` of them to count or to find."""

    def __init__(self, calls: StoreCalls, runs: StoreReader, kind: StoreKind, max_scanned: int) -> None:
        self._calls = calls
        self._runs = runs
        self._kind = kind
        self._max_scanned = max_scanned

    def of_experiment(self, experiment_id: str) -> paging.Search:
        """Return the search for an experiment's models as something to page through, the newest first."""
        return partial(self._search, [experiment_id], None)

    async def count_of(self, experiment_id: str) -> int | None:
        """Count an experiment's models; None where that passes the scan limit."""
        return await paging.count(self.of_experiment(experiment_id), PLACES, self._max_scanned)

    async def of_runs(self, run_ids: Sequence[str]) -> Mapping[str, Sequence[LoggedModel]]:
        """Return the models that each run is the source of or logged as its output, the newest first."""
        runs = await self._runs.runs(run_ids)
        made = await self._made_by(runs)
        known = {model.model_id: model for models in made.values() for model in models}
        outputs = {run_id: _outputs(run) for run_id, run in runs.items()}
        missing = {own for ids in outputs.values() for own in ids if own not in known}
        known |= await self.by_id(sorted(missing))
        found = {
            run_id: {model.model_id: model for model in made.get(run_id, ())}
            | {own: known[own] for own in outputs[run_id] if own in known}
            for run_id in runs
        }
        return {run_id: sorted(models.values(), key=_newest_first) for run_id, models in found.items()}

    async def by_id(self, ids: Sequence[str]) -> dict[str, LoggedModel]:
        """Return those of the models that are there."""
        check_model_ids(ids)
        distinct = list(dict.fromkeys(ids))
        if len(distinct) > _FEW and self._kind in _SEARCHES_BY_ID:
            everywhere = await self._runs.experiment_ids(ViewType.ALL)
            found = await self._among("model_id", distinct, everywhere)
            return {model.model_id: model for model in found}
        gets = [unless_absent(self._calls.one("get_logged_model", own)) for own in distinct]
        models = await together(list(map(asyncio.ensure_future, gets)))
        return {own: model for own, model in zip(distinct, models, strict=True) if model is not None}

    async def _made_by(self, runs: Mapping[str, Run]) -> dict[str, list[LoggedModel]]:
        experiments = list(dict.fromkeys(str(run.info.experiment_id) for run in runs.values()))
        if self._kind in _SEARCHES_BY_ID:
            found = await self._among("source_run_id", list(runs), experiments)
        else:
            found = await self._all(experiments, None, lambda model: model.source_run_id in runs)
        made: dict[str, list[LoggedModel]] = {}
        for model in found:
            made.setdefault(str(model.source_run_id), []).append(model)
        return made

    async def _among(self, key: str, values: Sequence[str], experiments: Sequence[str]) -> list[LoggedModel]:
        starts = range(0, len(values), _IDS_AT_ONCE)
        chunks = [values[start : start + _IDS_AT_ONCE] for start in starts]
        filters = [f"{key} IN ({', '.join(map(repr, chunk))})" for chunk in chunks]
        pages = await together([asyncio.ensure_future(self._all(experiments, one)) for one in filters])
        return [model for page in pages for model in page]

    async def _all(
        self,
        experiments: Sequence[str],
        filter_: str | None,
        wanted: Callable[[LoggedModel], bool] = lambda _: True,
    ) -> list[LoggedModel]:
        found: list[LoggedModel] = []
        seen = 0
        if not experiments:
            return found
        async for page in paging.pages(partial(self._search, experiments, filter_), PLACES):
            seen += len(page)
            if seen > self._max_scanned:
                message = f"There are more than {self._max_scanned} logged models (GQL_MAX_SCANNED_RUNS)."
                raise LimitExceeded(message)
            found.extend(filter(wanted, page))
        return found

    async def _search(
        self, experiments: Sequence[str], filter_: str | None, size: int, token: paging.Token
    ) -> Any:
        most = min(size, _LARGEST_PAGE.get(self._kind, size))
        # By position, for stores differ in the names of what they take.
        found = self._calls.one("search_logged_models", experiments, filter_, None, most, _NEWEST, token)
        return await unless_lacking(found, PagedList([], None))


def _outputs(run: Run) -> list[str]:
    outputs: Iterable[Any] = run.outputs.model_outputs if run.outputs else ()
    return [output.model_id for output in outputs]


def _newest_first(model: LoggedModel) -> tuple[int, str]:
    return -model.creation_timestamp, model.model_id
