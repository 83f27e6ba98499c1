"""The port to datasets and logged models over MLflow's own stores."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from typing_extensions import override

from gql_server.runtime.gather import gather_or_cancel
from gql_server.stores.ids import check_experiment_ids
from gql_server.stores.mlflow import entity_tables, model_entity_tables
from gql_server.stores.mlflow.merged_pages import merged_pages
from gql_server.stores.mlflow.model_reader import ModelReader
from gql_server.stores.mlflow.store_reader import StoreReader
from gql_server.stores.store_call import port_call
from schema.ports.models import ModelStore
from schema.ports.store_kind import StoreKind
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages


class MlflowModels(ModelStore):
    """The datasets and logged models of a store; `timeout` is in seconds for each call of the port."""

    def __init__(self, reader: ModelReader, runs: StoreReader, kind: StoreKind, timeout: float) -> None:
        self.timeout = timeout
        self._reader = reader
        self._runs = runs
        self._kind = kind

    @override
    @port_call
    async def datasets(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        runs = await self._runs.runs(run_ids)
        return entity_tables.datasets_of(runs.get(run_id) for run_id in run_ids)

    @override
    @port_call
    async def of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        models, spans = model_entity_tables.entity_lists(run_ids, await self._reader.models_of_runs(run_ids))
        return Many(model_entity_tables.logged_model_table(models, columns, self._kind), spans)

    @override
    @port_call
    async def of_experiments(self, ids: Sequence[str], page: Page) -> Pages:
        check_experiment_ids(ids, self._kind)
        distinct = list(dict.fromkeys(ids))
        results = await gather_or_cancel(
            self._reader.page_of_models(experiment_id, page) for experiment_id in distinct
        )
        pages = dict(zip(distinct, results, strict=True))
        return merged_pages(
            [pages[experiment_id] for experiment_id in ids],
            lambda models: model_entity_tables.logged_model_table(models, page.columns, self._kind),
        )

    @override
    @port_call
    async def count_of_experiments(self, ids: Sequence[str]) -> Sequence[int | None]:
        check_experiment_ids(ids, self._kind)
        distinct = list(dict.fromkeys(ids))
        counts = await gather_or_cancel(map(self._reader.count_models, distinct))
        totals = dict(zip(distinct, counts, strict=True))
        return [totals[experiment_id] for experiment_id in ids]

    @override
    @port_call
    async def by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        models = await self._reader.models_by_id(ids)
        index = {model_id: row for row, model_id in enumerate(models)}
        table = model_entity_tables.logged_model_table(list(models.values()), columns, self._kind)
        return One(table, [index.get(model_id) for model_id in ids])

    @override
    @port_call
    async def params(self, ids: Sequence[str]) -> Many:
        models = await self._reader.models_by_id(ids)
        return entity_tables.key_value_lists(_pairs(models, model_id, "params") for model_id in ids)

    @override
    @port_call
    async def tags(self, ids: Sequence[str]) -> Many:
        models = await self._reader.models_by_id(ids)
        return entity_tables.key_value_lists(_pairs(models, model_id, "tags") for model_id in ids)

    @override
    @port_call
    async def metrics(self, ids: Sequence[str]) -> Many:
        models = await self._reader.models_by_id(ids)
        return model_entity_tables.logged_model_metrics_of(
            (models.get(model_id) for model_id in ids), self._kind
        )


def _pairs(models: Mapping[str, Any], model_id: str, attribute: str) -> Mapping[str, str]:
    model = models.get(model_id)
    return {} if model is None else getattr(model, attribute)
