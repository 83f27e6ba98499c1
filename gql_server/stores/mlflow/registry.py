"""The port to a model registry over MLflow's own registry stores."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from typing_extensions import override

from gql_server.stores.ids import check_run_ids, check_versions
from gql_server.stores.mlflow import entity_tables, model_entity_tables
from gql_server.stores.mlflow.merged_pages import merged_pages
from gql_server.stores.mlflow.registered_models import RegisteredModels
from gql_server.stores.mlflow.registry_reader import RegistryReader
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.mlflow.store_features import StoreFeatures
from gql_server.stores.optional_features import default_if_unsupported
from gql_server.stores.paging import OPAQUE_TOKENS, FetchPage, SearchPage, count_rows, read_page
from gql_server.stores.store_call import port_call
from schema.ports.errors import BadUserInput
from schema.ports.registry import RegistryStore, VersionKey
from schema.ports.store_info import StoreFeature
from schema.ports.store_kind import StoreKind
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages, Position

_INT32: Final = 2**31


class MlflowRegistry(RegistryStore):
    """One of MLflow's model registries; `timeout` is in seconds for each call of the port."""

    def __init__(self, calls: StoreCalls, kind: StoreKind, *, timeout: float, max_scanned: int) -> None:
        self.timeout = timeout
        self._calls = calls
        self._reader = RegistryReader(calls, kind, max_scanned)
        self._features = StoreFeatures(calls, kind)
        self._max_scanned = max_scanned
        self._models = RegisteredModels(self._reader.fetch_models, kind, max_scanned)

    async def open(self) -> None:
        """Open the registry at the server's start; raises `StoreConfigError` or `StoreUnavailable`."""
        # A folder without a registry may get one later.
        await default_if_unsupported(self._calls.open(), None)

    async def close(self) -> None:
        """Release connections and threads."""
        await self._calls.close()

    @override
    @port_call
    async def features(self) -> Collection[StoreFeature]:
        return await default_if_unsupported(self._open_and_read_features(), ())

    @override
    @port_call
    async def models(self, filter_: str | None, page: Page) -> Pages:
        result = await self._models.page(filter_, page)
        return merged_pages(
            [result], lambda models: model_entity_tables.registered_model_table(models, page.columns)
        )

    @override
    @port_call
    async def count_models(self, filter_: str | None) -> int | None:
        return await self._models.count(filter_)

    @override
    @port_call
    async def models_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        models = await self._reader.models(names)
        index = {name: row for row, name in enumerate(models)}
        table = model_entity_tables.registered_model_table(list(models.values()), columns)
        return One(table, [index.get(name) for name in names])

    @override
    @port_call
    async def model_tags(self, names: Sequence[str]) -> Many:
        models = await self._reader.models(names)
        return entity_tables.key_value_lists(
            model_entity_tables.registered_model_tags(models.get(name)) for name in names
        )

    @override
    @port_call
    async def aliases(self, names: Sequence[str]) -> Many:
        models = await self._reader.models(names)
        return model_entity_tables.aliases_of(models.get(name) for name in names)

    @override
    @port_call
    async def versions(self, names: Sequence[str], page: Page) -> Pages:
        async def read(fetch: FetchPage) -> SearchPage:
            result = await read_page(fetch, page.first, None, OPAQUE_TOKENS)
            return replace(result, positions=[[int(version.version)] for version in result.rows])

        pages = await self._reader.read_versions(names, read, _version_number(page.after))
        return merged_pages(
            [pages[name] for name in names],
            lambda versions: model_entity_tables.version_table(versions, page.columns),
        )

    @override
    @port_call
    async def count_versions(self, names: Sequence[str]) -> Sequence[int | None]:
        counts = await self._reader.read_versions(names, self._count)
        return [counts[name] for name in names]

    @override
    @port_call
    async def versions_by_key(self, keys: Sequence[VersionKey], columns: Collection[str]) -> One:
        check_versions(key.version for key in keys)
        versions = await self._reader.versions(keys)
        index = {key: row for row, key in enumerate(versions)}
        table = model_entity_tables.version_table(list(versions.values()), columns)
        return One(table, [index.get(key) for key in keys])

    @override
    @port_call
    async def versions_of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        check_run_ids(run_ids)
        versions, spans = model_entity_tables.entity_lists(
            run_ids, await self._reader.versions_of_runs(run_ids)
        )
        return Many(model_entity_tables.version_table(versions, columns), spans)

    @override
    @port_call
    async def version_tags(self, keys: Sequence[VersionKey]) -> Many:
        check_versions(key.version for key in keys)
        versions = await self._reader.versions(keys)
        return entity_tables.key_value_lists(versions[key].tags if key in versions else {} for key in keys)

    async def _open_and_read_features(self) -> Collection[StoreFeature]:
        await self._calls.open()
        return await self._features.registry()

    async def _count(self, fetch: FetchPage) -> int | None:
        return await count_rows(fetch, OPAQUE_TOKENS, self._max_scanned)


def _version_number(after: Position | None) -> int | None:
    """Return the number in the position of a version: each page continues with the next lower number."""
    match after:
        case None:
            return None
        case [int() as number] if type(number) is int and 0 <= number < _INT32:
            return number
    message = "after is not a cursor of this connection."
    raise BadUserInput(message)
