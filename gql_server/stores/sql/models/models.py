"""The port to datasets and logged models over MLflow's own tables: each method takes one statement."""

from collections.abc import Collection, Sequence

from typing_extensions import override

from gql_server.stores.ids import check_experiment_ids, check_model_ids, check_run_ids
from gql_server.stores.sql.models import logged_models, model_logs
from gql_server.stores.sql.models.datasets import read_datasets
from gql_server.stores.sql.reader import Reader
from schema.ports.models import ModelStore
from schema.ports.store_kind import StoreKind
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages


class SqlModels(ModelStore):
    """The datasets and logged models in a database."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @override
    async def datasets(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        check_run_ids(run_ids)
        return await self._reader.read(lambda session: read_datasets(session, run_ids, columns))

    @override
    async def of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        check_run_ids(run_ids)
        return await self._reader.read(
            lambda session: logged_models.models_of_runs(session, run_ids, columns)
        )

    @override
    async def of_experiments(self, ids: Sequence[str], page: Page) -> Pages:
        check_experiment_ids(ids, StoreKind.SQL)
        return await self._reader.read(
            lambda session: logged_models.models_of_experiments(session, ids, page)
        )

    @override
    async def count_of_experiments(self, ids: Sequence[str]) -> Sequence[int | None]:
        check_experiment_ids(ids, StoreKind.SQL)
        return await self._reader.read(lambda session: logged_models.count_models(session, ids))

    @override
    async def by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        check_model_ids(ids)
        return await self._reader.read(lambda session: logged_models.models_by_id(session, ids, columns))

    @override
    async def params(self, ids: Sequence[str]) -> Many:
        return await self._reader.read(lambda session: model_logs.read_model_params(session, ids))

    @override
    async def tags(self, ids: Sequence[str]) -> Many:
        return await self._reader.read(lambda session: model_logs.read_model_tags(session, ids))

    @override
    async def metrics(self, ids: Sequence[str]) -> Many:
        return await self._reader.read(lambda session: model_logs.read_model_metrics(session, ids))
