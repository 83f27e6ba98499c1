"""The port to a model registry over MLflow's own tables: each method takes one statement."""

from collections.abc import Collection, Sequence

from typing_extensions import override

from gql_server.stores.ids import check_run_ids, check_versions
from gql_server.stores.sql.reader import Reader
from gql_server.stores.sql.registry import model_versions, registered_models
from schema.ports.registry import RegistryStore, VersionKey
from schema.ports.store_info import REGISTRY_FEATURES, StoreFeature
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages


class SqlRegistry(RegistryStore):
    """A model registry in a database."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @override
    async def features(self) -> Collection[StoreFeature]:
        return (await self._reader.schema()).features & REGISTRY_FEATURES

    @override
    async def models(self, filter_: str | None, page: Page) -> Pages:
        return await self._reader.read(
            lambda session: registered_models.read_registered(session, filter_, page)
        )

    @override
    async def count_models(self, filter_: str | None) -> int | None:
        return await self._reader.read(lambda session: registered_models.count_registered(session, filter_))

    @override
    async def models_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        return await self._reader.read(
            lambda session: registered_models.registered_by_name(session, names, columns)
        )

    @override
    async def model_tags(self, names: Sequence[str]) -> Many:
        return await self._reader.read(lambda session: registered_models.read_registered_tags(session, names))

    @override
    async def aliases(self, names: Sequence[str]) -> Many:
        return await self._reader.read(lambda session: registered_models.read_aliases(session, names))

    @override
    async def versions(self, names: Sequence[str], page: Page) -> Pages:
        return await self._reader.read(lambda session: model_versions.read_versions(session, names, page))

    @override
    async def count_versions(self, names: Sequence[str]) -> Sequence[int | None]:
        return await self._reader.read(lambda session: model_versions.count_versions(session, names))

    @override
    async def versions_by_key(self, keys: Sequence[VersionKey], columns: Collection[str]) -> One:
        check_versions(key.version for key in keys)
        return await self._reader.read(lambda session: model_versions.versions_by_key(session, keys, columns))

    @override
    async def versions_of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        check_run_ids(run_ids)
        return await self._reader.read(
            lambda session: model_versions.versions_of_runs(session, run_ids, columns)
        )

    @override
    async def version_tags(self, keys: Sequence[VersionKey]) -> Many:
        check_versions(key.version for key in keys)
        return await self._reader.read(lambda session: model_versions.read_version_tags(session, keys))
