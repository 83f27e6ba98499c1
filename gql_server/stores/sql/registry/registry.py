"""The port to a model registry over MLflow's own tables: each method is a statement."""

from collections.abc import Callable, Collection, Sequence

from mlflow.utils.workspace_utils import DEFAULT_WORKSPACE_NAME

from gql_server.stores.ids import check_run_ids, check_versions
from gql_server.stores.sql.registry import model_versions, registered_models
from gql_server.stores.sql.session_pool import SessionPool
from schema.ports.registry import VersionKey
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages


class SqlRegistry:
    """A registry in a database; `workspace` is asked in the caller's context, as by `SqlTracking`."""

    def __init__(self, reader: SessionPool, workspace: Callable[[], str | None]) -> None:
        self._reader = reader
        self._named = workspace

    async def models(self, filter_: str | None, page: Page) -> Pages:
        """Return one page of the models that MLflow's filter string finds, by name."""
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: registered_models.read_registered(reading, filter_, page, workspace)
        )

    async def count_models(self, filter_: str | None) -> int | None:
        """Count the models that a filter finds; there is no scan limit here."""
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: registered_models.count_registered(reading, filter_, workspace)
        )

    async def models_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        """Look models up by their exact names."""
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: registered_models.registered_by_name(reading, names, columns, workspace)
        )

    async def model_tags(self, names: Sequence[str]) -> Many:
        """Return the tags of each model by key."""
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: registered_models.read_registered_tags(reading, names, workspace)
        )

    async def aliases(self, names: Sequence[str]) -> Many:
        """Return the aliases of each model by alias, with the versions that they name, there or not."""
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: registered_models.read_aliases(reading, names, workspace)
        )

    async def versions(self, names: Sequence[str], page: Page) -> Pages:
        """Return a page of each model's versions, the latest first."""
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: model_versions.read_versions(reading, names, page, workspace)
        )

    async def count_versions(self, names: Sequence[str]) -> Sequence[int | None]:
        """Count each model's versions; there is no scan limit here."""
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: model_versions.count_versions(reading, names, workspace)
        )

    async def versions_by_key(self, keys: Sequence[VersionKey], columns: Collection[str]) -> One:
        """Look versions up."""
        check_versions(key.version for key in keys)
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: model_versions.versions_by_key(reading, keys, columns, workspace)
        )

    async def versions_of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the versions that were made from each run, by name, the latest first."""
        check_run_ids(run_ids)
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: model_versions.versions_of_runs(reading, run_ids, columns, workspace)
        )

    async def version_tags(self, keys: Sequence[VersionKey]) -> Many:
        """Return the tags of each version by key."""
        check_versions(key.version for key in keys)
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: model_versions.read_version_tags(reading, keys, workspace)
        )

    def _workspace(self) -> str:
        return self._named() or DEFAULT_WORKSPACE_NAME
