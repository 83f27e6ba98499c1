"""The port to datasets and logged models over MLflow's own stores."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gql_server.stores.ids import check_experiment_ids
from gql_server.stores.mlflow import entity_tables, model_entity_tables, paging
from gql_server.stores.mlflow.merged_pages import pages_of
from gql_server.stores.mlflow.model_reader import PLACES, ModelReader
from gql_server.stores.mlflow.store_calls import together
from gql_server.stores.mlflow.store_reader import StoreReader
from gql_server.stores.store_call import port_call
from schema.ports.store_kind import StoreKind
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages


class MlflowModels:
    """What runs read and made; `timeout` is in seconds for each call of the port."""

    def __init__(self, reader: ModelReader, runs: StoreReader, kind: StoreKind, timeout: float) -> None:
        self.timeout = timeout
        self._reader = reader
        self._runs = runs
        self._kind = kind

    @port_call
    async def datasets(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:  # noqa: ARG002
        """Return the datasets that each run read, by name and digest, with all that they have."""
        found = await self._runs.runs(run_ids)
        return entity_tables.datasets_of(found.get(run_id) for run_id in run_ids)

    @port_call
    async def of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the models that each run is the source of or logged as its output, the newest first."""
        models, spans = model_entity_tables.lists_of(run_ids, await self._reader.of_runs(run_ids))
        return Many(model_entity_tables.model_table(models, columns, self._kind), spans)

    @port_call
    async def of_experiments(self, ids: Sequence[str], page: Page) -> Pages:
        """Return a page of each experiment's models, the newest first."""
        check_experiment_ids(ids, self._kind)
        distinct = list(dict.fromkeys(ids))
        reads = [
            paging.read(self._reader.of_experiment(own), page.first, page.after, PLACES) for own in distinct
        ]
        found = await together(list(map(asyncio.ensure_future, reads)))
        parts = dict(zip(distinct, found, strict=True))
        return pages_of(
            [parts[own] for own in ids],
            lambda models: model_entity_tables.model_table(models, page.columns, self._kind),
        )

    @port_call
    async def count_of_experiments(self, ids: Sequence[str]) -> Sequence[int | None]:
        """Count each experiment's models; None where that passes the scan limit."""
        check_experiment_ids(ids, self._kind)
        distinct = list(dict.fromkeys(ids))
        counts = [self._reader.count_of(own) for own in distinct]
        found = await together(list(map(asyncio.ensure_future, counts)))
        totals = dict(zip(distinct, found, strict=True))
        return [totals[own] for own in ids]

    @port_call
    async def by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look models up."""
        found = await self._reader.by_id(ids)
        places = {own: place for place, own in enumerate(found)}
        table = model_entity_tables.model_table(list(found.values()), columns, self._kind)
        return One(table, [places.get(own) for own in ids])

    @port_call
    async def params(self, ids: Sequence[str]) -> Many:
        """Return the params of each model by key."""
        found = await self._reader.by_id(ids)
        return entity_tables.pairs(_logged(found, own, "params") for own in ids)

    @port_call
    async def tags(self, ids: Sequence[str]) -> Many:
        """Return the tags of each model by key."""
        found = await self._reader.by_id(ids)
        return entity_tables.pairs(_logged(found, own, "tags") for own in ids)

    @port_call
    async def metrics(self, ids: Sequence[str]) -> Many:
        """Return the last value of each metric of each model by key, for each run and dataset."""
        found = await self._reader.by_id(ids)
        return model_entity_tables.model_metrics_of((found.get(own) for own in ids), self._kind)


def _logged(found: Mapping[str, Any], own: str, what: str) -> Mapping[str, str]:
    model = found.get(own)
    return {} if model is None else getattr(model, what)
