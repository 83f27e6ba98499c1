"""The port to datasets and logged models over MLflow's own tables: each method is a statement."""

from collections.abc import Callable, Collection, Sequence

from gql_server.stores.ids import check_experiment_ids, check_model_ids, check_run_ids
from gql_server.stores.sql.models import logged_models, model_logs
from gql_server.stores.sql.models.datasets import read_datasets
from gql_server.stores.sql.session_pool import SessionPool
from schema.ports.store_kind import StoreKind
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages


class SqlModels:
    """What runs read and made; `workspace` is asked in the caller's context, as by `SqlTracking`."""

    def __init__(self, reader: SessionPool, workspace: Callable[[], str | None]) -> None:
        self._reader = reader
        self._workspace = workspace

    async def datasets(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the datasets that each run read, by name and digest."""
        check_run_ids(run_ids)
        workspace = self._workspace()
        return await self._reader.read(lambda reading: read_datasets(reading, run_ids, columns, workspace))

    async def of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the models that each run is the source of or logged as its output, the newest first."""
        check_run_ids(run_ids)
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: logged_models.models_of_runs(reading, run_ids, columns, workspace)
        )

    async def of_experiments(self, ids: Sequence[str], page: Page) -> Pages:
        """Return a page of each experiment's models, the newest first."""
        check_experiment_ids(ids, StoreKind.SQL)
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: logged_models.models_of_experiments(reading, ids, page, workspace)
        )

    async def count_of_experiments(self, ids: Sequence[str]) -> Sequence[int | None]:
        """Count each experiment's models; there is no scan limit here."""
        check_experiment_ids(ids, StoreKind.SQL)
        workspace = self._workspace()
        return await self._reader.read(lambda reading: logged_models.count_models(reading, ids, workspace))

    async def by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look models up."""
        check_model_ids(ids)
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: logged_models.models_by_id(reading, ids, columns, workspace)
        )

    async def params(self, ids: Sequence[str]) -> Many:
        """Return the params of each model by key."""
        workspace = self._workspace()
        return await self._reader.read(lambda reading: model_logs.read_model_params(reading, ids, workspace))

    async def tags(self, ids: Sequence[str]) -> Many:
        """Return the tags of each model by key."""
        workspace = self._workspace()
        return await self._reader.read(lambda reading: model_logs.read_model_tags(reading, ids, workspace))

    async def metrics(self, ids: Sequence[str]) -> Many:
        """Return the last value of each metric of each model by key, for each run and dataset."""
        workspace = self._workspace()
        return await self._reader.read(lambda reading: model_logs.read_model_metrics(reading, ids, workspace))
