"""The port to a model registry over MLflow's own registry stores."""

from collections.abc import Collection, Sequence

from gql_server.stores.ids import check_run_ids, check_versions
from gql_server.stores.mlflow import entity_tables, model_entity_tables, paging
from gql_server.stores.mlflow.merged_pages import pages_of
from gql_server.stores.mlflow.registry_reader import PLACES, RegistryReader
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.optional_features import unless_lacking
from gql_server.stores.store_call import port_call
from schema.ports.registry import VersionKey
from schema.ports.store_kind import StoreKind
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages


class MlflowRegistry:
    """A registry of MLflow's; `timeout` is in seconds for each call of the port."""

    def __init__(self, calls: StoreCalls, kind: StoreKind, *, timeout: float, max_scanned: int) -> None:
        self.timeout = timeout
        self._calls = calls
        self._reader = RegistryReader(calls, kind, max_scanned)
        self._max_scanned = max_scanned

    async def open(self) -> None:
        """Open the registry, at the server's start; raises `Unusable` or `StoreUnavailable`."""
        # A folder that has no registry yet may get one.
        await unless_lacking(self._calls.open(), None)

    async def close(self) -> None:
        """Let go of connections and threads."""
        await self._calls.close()

    @port_call
    async def models(self, filter_: str | None, page: Page) -> Pages:
        """Return one page of the models that MLflow's filter string finds, by name."""
        found = await paging.read(self._reader.search(filter_), page.first, page.after, PLACES)
        return pages_of([found], lambda models: model_entity_tables.registered_table(models, page.columns))

    @port_call
    async def count_models(self, filter_: str | None) -> int | None:
        """Count the models that a filter finds; None where that passes the scan limit."""
        return await self._count(self._reader.search(filter_))

    @port_call
    async def models_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        """Look models up by their exact names."""
        found = await self._reader.models(names)
        places = {name: place for place, name in enumerate(found)}
        table = model_entity_tables.registered_table(list(found.values()), columns)
        return One(table, [places.get(name) for name in names])

    @port_call
    async def model_tags(self, names: Sequence[str]) -> Many:
        """Return the tags of each model by key."""
        found = await self._reader.models(names)
        return entity_tables.pairs(found[name].tags if name in found else {} for name in names)

    @port_call
    async def aliases(self, names: Sequence[str]) -> Many:
        """Return the aliases of each model by alias, with the versions that they name, there or not."""
        found = await self._reader.models(names)
        return model_entity_tables.aliases_of(found.get(name) for name in names)

    @port_call
    async def versions(self, names: Sequence[str], page: Page) -> Pages:
        """Return a page of each model's versions, the latest first."""
        found = await self._reader.versions_of(
            names, lambda search: paging.read(search, page.first, page.after, PLACES)
        )
        parts = [found[name] for name in names]
        return pages_of(parts, lambda versions: model_entity_tables.version_table(versions, page.columns))

    @port_call
    async def count_versions(self, names: Sequence[str]) -> Sequence[int | None]:
        """Count each model's versions; None where that passes the scan limit."""
        found = await self._reader.versions_of(names, self._count)
        return [found[name] for name in names]

    @port_call
    async def versions_by_key(self, keys: Sequence[VersionKey], columns: Collection[str]) -> One:
        """Look versions up."""
        check_versions(key.version for key in keys)
        found = await self._reader.versions(keys)
        places = {key: place for place, key in enumerate(found)}
        table = model_entity_tables.version_table(list(found.values()), columns)
        return One(table, [places.get(key) for key in keys])

    @port_call
    async def versions_of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the versions that were made from each run, by name, the latest first."""
        check_run_ids(run_ids)
        versions, spans = model_entity_tables.lists_of(run_ids, await self._reader.of_runs(run_ids))
        return Many(model_entity_tables.version_table(versions, columns), spans)

    @port_call
    async def version_tags(self, keys: Sequence[VersionKey]) -> Many:
        """Return the tags of each version by key."""
        check_versions(key.version for key in keys)
        found = await self._reader.versions(keys)
        return entity_tables.pairs(found[key].tags if key in found else {} for key in keys)

    async def _count(self, search: paging.Search) -> int | None:
        return await paging.count(search, PLACES, self._max_scanned)
