"""The `Tracking` port over MLflow's own stores, called in worker threads."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial

from typing_extensions import override

from gql_server.config.azure import AzureOptions, AzureSettings
from gql_server.config.limits import StoreLimits
from gql_server.stores.azure.support_matrix import azure_capabilities
from gql_server.stores.errors import public_error_from
from gql_server.stores.limit_errors import too_many_points, too_many_to_sample
from gql_server.stores.mlflow import entity_tables
from gql_server.stores.mlflow.history_points import joined_histories
from gql_server.stores.mlflow.history_reader import HistoryReader
from gql_server.stores.mlflow.history_request import HistoryRequest, PointLimit
from gql_server.stores.mlflow.http_settings import configure_http
from gql_server.stores.mlflow.lazy_store import LazyStore
from gql_server.stores.mlflow.model_reader import ModelReader
from gql_server.stores.mlflow.models import MlflowModels
from gql_server.stores.mlflow.open_store import open_store
from gql_server.stores.mlflow.point_feed import LastPointFeed
from gql_server.stores.mlflow.registry_opening import registry_at
from gql_server.stores.mlflow.searches import Searches
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.mlflow.store_features import StoreFeatures
from gql_server.stores.mlflow.store_reader import StoreReader
from gql_server.stores.mlflow.uncounted_histories import UncountedHistories
from gql_server.stores.not_mlflow_error import NotMlflowError
from gql_server.stores.openable_registry import OpenableRegistry
from gql_server.stores.pushdown.capabilities import Capabilities, capabilities_of
from gql_server.stores.store_call import port_call, store_timeout
from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import kind_of, redacted_uri
from schema.ports.errors import PublicError, StoreTimeout, StoreUnavailable, UnsupportedByStore
from schema.ports.models import ModelStore
from schema.ports.store_info import StoreInfo
from schema.ports.store_kind import StoreKind
from schema.ports.table import Many, One
from schema.ports.tracking import (
    ExperimentScope,
    Grouping,
    Groups,
    LoggedKind,
    Page,
    Pages,
    Sample,
    Scope,
    Search,
    Series,
)


class MlflowTracking(UncountedHistories, LastPointFeed):
    """One of MLflow's tracking stores; constructing it opens no connection.

    It opens with the first call, and after a failure with a later one. `create` creates a SQLite file or a
    folder that does not exist yet. `registry` is the model registry, if it is not MLflow's default for the
    tracking URI.
    """

    def __init__(
        self,
        uri: str,
        limits: StoreLimits,
        *,
        create: bool = False,
        registry: OpenableRegistry | None = None,
        azure: AzureOptions | None = None,
    ) -> None:
        self.timeout = limits.store_timeout
        self._limits = limits
        self._uri = uri
        self._kind = kind_of(uri)
        azure = azure or AzureSettings().azure_options
        lazy_store = LazyStore(uri, create=create, build=partial(open_store, azure=azure))
        self._calls = StoreCalls(
            lazy_store, limits.store_threads, max_bytes=limits.max_upstream_bytes, retries=azure.retries
        )
        capabilities = _capabilities(self._kind, azure)
        max_scanned = limits.max_scanned_runs
        self._reader = StoreReader(self._calls, self._kind, max_scanned, capabilities)
        self._histories = HistoryReader(self._calls, self._kind, capabilities.max_points_per_page)
        self._searches = Searches(self._reader, self._kind, capabilities, max_scanned, limits.max_groups)
        model_reader = ModelReader(self._calls, self._reader, self._kind, max_scanned)
        self._models = MlflowModels(model_reader, self._reader, self._kind, self.timeout)
        self._features = StoreFeatures(self._calls, self._kind)
        self._separate_registry = registry
        self._registry = registry or registry_at("", uri, limits, azure=azure)
        if self._kind not in {StoreKind.SQL, StoreKind.FILE}:
            configure_http(limits.store_threads, limits.store_timeout)

    @property
    @override
    def kind(self) -> StoreKind:
        return self._kind

    @property
    @override
    def models(self) -> ModelStore:
        return self._models

    @property
    @override
    def registry(self) -> OpenableRegistry:
        return self._registry

    @property
    def calls(self) -> Counter[str]:
        """Return the number of calls of each method of MLflow's store."""
        return self._calls.counts

    async def open(self) -> None:
        """Open the store and send it one request, at the server's start.

        Raises `StoreConfigError` for an error that no retry fixes, and `StoreUnavailable` or `StoreTimeout`
        if the store may become available.
        """
        try:
            async with asyncio.timeout(self.timeout):
                await self._calls.open()
                if self._separate_registry is not None:
                    await self._separate_registry.open()
            await self.ready()
        except TimeoutError as error:
            raise store_timeout(self.timeout) from error
        except (UnsupportedByStore, NotMlflowError) as error:
            message = f"{redacted_uri(self._uri)}: there is no MLflow server at this address."
            raise StoreConfigError(message) from error
        except (StoreConfigError, StoreUnavailable, StoreTimeout):
            raise
        except PublicError as error:
            message = f"{redacted_uri(self._uri)}: {error}"
            raise StoreConfigError(message) from error
        except Exception as error:
            raise public_error_from(error) or error from error

    @override
    @port_call
    async def info(self) -> StoreInfo:
        features = await self._features.tracking()
        return StoreInfo(None, {*features, *await self.registry.features()})

    @override
    @port_call
    async def ready(self) -> None:
        await self._calls.call("search_experiments", max_results=1)

    @override
    async def close(self) -> None:
        await self.registry.close()
        await self._calls.close()

    @override
    @port_call
    async def experiments(self, search: Search, page: Page) -> Pages:
        return await self._searches.experiments(search, page)

    @override
    @port_call
    async def count_experiments(self, search: Search) -> int | None:
        return await self._searches.count_experiments(search)

    @override
    @port_call
    async def experiments_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        experiments = await self._reader.experiments(ids)
        table = entity_tables.experiment_table(list(experiments.values()), columns)
        return One(table, _index(experiments, ids))

    @override
    @port_call
    async def experiments_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        experiments = await self._reader.experiments_by_name(names)
        table = entity_tables.experiment_table(list(experiments.values()), columns)
        return One(table, _index(experiments, names))

    @override
    @port_call
    async def experiment_tags(self, ids: Sequence[str], keys: Collection[str] | None) -> Many:
        experiments = await self._reader.experiments(ids)
        return entity_tables.experiment_tags_of((experiments.get(each) for each in ids), keys)

    @override
    @port_call
    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        return await self._searches.runs(scopes, search, page)

    @override
    @port_call
    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> Sequence[int | None]:
        return await self._searches.count_runs(scopes, search)

    @override
    @port_call
    async def run_groups(self, scope: ExperimentScope, search: Search, grouping: Grouping) -> Groups:
        return await self._searches.run_groups(scope, search, grouping)

    @override
    @port_call
    async def logged_keys(
        self, by: LoggedKind, experiment_ids: Sequence[str]
    ) -> Sequence[Sequence[str] | None]:
        return await self._searches.logged_keys(by, experiment_ids)

    @override
    @port_call
    async def runs_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        runs = await self._reader.runs(ids)
        return One(entity_tables.run_table(list(runs.values()), columns, self._kind), _index(runs, ids))

    @override
    @port_call
    async def params(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        runs = await self._reader.runs(run_ids)
        return entity_tables.params_of((runs.get(run_id) for run_id in run_ids), keys)

    @override
    @port_call
    async def tags(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        runs = await self._reader.runs(run_ids)
        return entity_tables.tags_of((runs.get(run_id) for run_id in run_ids), keys)

    @override
    @port_call
    async def metrics(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        runs = await self._reader.runs(run_ids)
        return entity_tables.metrics_of((runs.get(run_id) for run_id in run_ids), self._kind, keys)

    @override
    @port_call
    async def histories(
        self,
        series: Sequence[Series],
        from_step: int | None,
        to_step: int | None,
        sample: Sample | None = None,
    ) -> Many:
        distinct = list(dict.fromkeys(series))
        histories = await self._histories.read(distinct, self._history_request(from_step, to_step, sample))
        points = joined_histories(histories[each] for each in distinct)
        spans = dict(zip(distinct, points.spans, strict=True))
        return Many(points.rows, [spans[each] for each in series])

    def _history_request(
        self, from_step: int | None, to_step: int | None, sample: Sample | None
    ) -> HistoryRequest:
        max_points = self._limits.max_points
        read_limit = (
            PointLimit(self._limits.max_sampled_points, too_many_to_sample)
            if sample
            else PointLimit(max_points, too_many_points)
        )
        returned_limit = PointLimit(max_points, too_many_points)
        return HistoryRequest(from_step, to_step, sample, read_limit, returned_limit)


def _capabilities(kind: StoreKind, azure: AzureOptions) -> Capabilities:
    return azure_capabilities(azure.edition) if kind is StoreKind.AZURE_ML else capabilities_of(kind)


def _index(entities: Collection[str], keys: Sequence[str]) -> list[int | None]:
    rows = {key: row for row, key in enumerate(entities)}
    return [rows.get(key) for key in keys]
