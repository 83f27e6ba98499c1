"""The port over MLflow's own stores: whatever MLflow opens, read by its own code in worker threads."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial

from gql_server.config.azure import AzureOptions
from gql_server.config.limits import StoreLimits
from gql_server.stores.azure.support_matrix import azure_capabilities
from gql_server.stores.errors import NotMlflowError, public_error_from
from gql_server.stores.limit_errors import too_many_points, too_many_to_sample
from gql_server.stores.mlflow import entity_tables
from gql_server.stores.mlflow.bulk_points import HistoryRequest, PointBudget, joined
from gql_server.stores.mlflow.lazy_store import LazyStore
from gql_server.stores.mlflow.model_reader import ModelReader
from gql_server.stores.mlflow.models import MlflowModels
from gql_server.stores.mlflow.open_store import open_store, prepare_http
from gql_server.stores.mlflow.searches import Searches
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.mlflow.store_reader import StoreReader
from gql_server.stores.mlflow.uncounted_histories import UncountedHistories
from gql_server.stores.pushdown.capabilities import Capabilities, capabilities_of
from gql_server.stores.registry_factory import OpenableRegistry, registry_at
from gql_server.stores.store_call import port_call, too_slow
from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import kind_of, shown
from schema.ports.errors import PublicError, StoreTimeout, StoreUnavailable, UnsupportedByStore
from schema.ports.models import ModelStore
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


class MlflowTracking(UncountedHistories):
    """A tracking store of MLflow's; it costs nothing until it is used.

    It opens with the first call, and after a failure with a later one. `create` makes a SQLite file or a
    folder that does not exist yet. `registry` is the model registry, if it is not the one that MLflow has for
    the tracking URI.
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
        azure = azure or AzureOptions()
        lazy = LazyStore(uri, create=create, build=partial(open_store, azure=azure))
        self._calls = StoreCalls(lazy, limits.store_threads, azure.retries)
        store = _capabilities(self._kind, azure)
        self._reader = StoreReader(self._calls, self._kind, limits.max_scanned_runs, store)
        self._searches = Searches(self._reader, self._kind, store, limits.max_scanned_runs, limits.max_groups)
        models = ModelReader(self._calls, self._reader, self._kind, limits.max_scanned_runs)
        self.models: ModelStore = MlflowModels(models, self._reader, self._kind, self.timeout)
        self._given_registry = registry
        self.registry: OpenableRegistry = registry or registry_at("", uri, limits, azure=azure)
        if self._kind not in {StoreKind.SQL, StoreKind.FILE}:
            prepare_http(limits.store_threads, limits.store_timeout)

    @property
    def kind(self) -> StoreKind:
        """Say which family the store is of."""
        return self._kind

    @property
    def calls(self) -> Counter[str]:
        """Return how often each method of MLflow's store was called."""
        return self._calls.counts

    async def open(self) -> None:
        """Open the store and ask it something, at the server's start.

        Raises `StoreConfigError` where the URI has to be changed or the store mended first, and
        `StoreUnavailable` or `StoreTimeout` where it may come up by itself.
        """
        try:
            async with asyncio.timeout(self.timeout):
                await self._calls.open()
                if self._given_registry is not None:
                    await self._given_registry.open()
            await self.ready()
        except TimeoutError as error:
            raise too_slow(self.timeout) from error
        except (UnsupportedByStore, NotMlflowError) as fault:
            message = f"{shown(self._uri)}: no MLflow server answers there."
            raise StoreConfigError(message) from fault
        except (StoreConfigError, StoreUnavailable, StoreTimeout):
            raise
        except PublicError as fault:
            message = f"{shown(self._uri)}: {fault}"
            raise StoreConfigError(message) from fault
        except Exception as error:
            raise public_error_from(error) or error from error

    @port_call
    async def ready(self) -> None:
        """Return when the store answers; raise the fault that says why it does not."""
        await self._calls.one("search_experiments", max_results=1)

    async def close(self) -> None:
        """Let go of connections and threads; the store is not used afterwards."""
        await self.registry.close()
        await self._calls.close()

    @port_call
    async def experiments(self, search: Search, page: Page) -> Pages:
        """Return one page of experiments."""
        return await self._searches.experiments(search, page)

    @port_call
    async def count_experiments(self, search: Search) -> int | None:
        """Count the matching experiments; None where that passes the scan limit."""
        return await self._searches.count_experiments(search)

    @port_call
    async def experiments_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look experiments up, deleted ones too."""
        found = await self._reader.experiments(ids)
        return One(entity_tables.experiment_table(list(found.values()), columns), _index(found, ids))

    @port_call
    async def experiments_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        """Look experiments up by their exact names, deleted ones too."""
        found = await self._reader.experiments_named(names)
        return One(entity_tables.experiment_table(list(found.values()), columns), _index(found, names))

    @port_call
    async def experiment_tags(self, ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the tags of each experiment by key; all of them, or those under the keys given."""
        found = await self._reader.experiments(ids)
        return entity_tables.experiment_tags_of((found.get(experiment_id) for experiment_id in ids), keys)

    @port_call
    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        """Return the first runs of each scope."""
        return await self._searches.runs(scopes, search, page)

    @port_call
    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> Sequence[int | None]:
        """Count the matching runs of each scope; None where that passes the scan limit."""
        return await self._searches.count_runs(scopes, search)

    @port_call
    async def run_groups(self, scope: ExperimentScope, search: Search, grouping: Grouping) -> Groups:
        """Group the matching runs, here."""
        return await self._searches.run_groups(scope, search, grouping)

    @port_call
    async def logged_keys(self, by: LoggedKind, experiment_ids: Sequence[str]) -> Sequence[Sequence[str]]:
        """Return the distinct keys of each experiment's active runs."""
        return await self._searches.logged_keys(by, experiment_ids)

    @port_call
    async def runs_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look runs up, deleted ones too."""
        found = await self._reader.runs(ids)
        return One(entity_tables.run_table(list(found.values()), columns, self._kind), _index(found, ids))

    @port_call
    async def params(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the params of each run by key; all of them, or those under the keys given."""
        found = await self._reader.runs(run_ids)
        return entity_tables.params_of((found.get(run_id) for run_id in run_ids), keys)

    @port_call
    async def tags(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the tags of each run by key; all of them, or those under the keys given."""
        found = await self._reader.runs(run_ids)
        return entity_tables.tags_of((found.get(run_id) for run_id in run_ids), keys)

    @port_call
    async def metrics(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the last value of each metric of each run by key; all, or those under the keys given."""
        found = await self._reader.runs(run_ids)
        return entity_tables.metrics_of((found.get(run_id) for run_id in run_ids), self._kind, keys)

    @port_call
    async def histories(
        self,
        series: Sequence[Series],
        from_step: int | None,
        to_step: int | None,
        sample: Sample | None = None,
    ) -> Many:
        """Return the points of each metric by step and timestamp, both ends of the steps included."""
        distinct = list(dict.fromkeys(series))
        most, fault = self._limits.max_points, too_many_points
        reading = (
            PointBudget(self._limits.max_sampled_points, too_many_to_sample)
            if sample
            else PointBudget(most, fault)
        )
        steps = HistoryRequest(from_step, to_step, sample, reading, PointBudget(most, fault))
        found = await self._reader.histories(distinct, steps)
        points = joined(found[one] for one in distinct)
        spans = dict(zip(distinct, points.spans, strict=True))
        return Many(points.rows, [spans[one] for one in series])


def _capabilities(kind: StoreKind, azure: AzureOptions) -> Capabilities:
    return azure_capabilities(azure.edition) if kind is StoreKind.AZURE_ML else capabilities_of(kind)


def _index(found: Collection[str], keys: Sequence[str]) -> list[int | None]:
    places = {key: place for place, key in enumerate(found)}
    return [places.get(key) for key in keys]
