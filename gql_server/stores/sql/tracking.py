"""The tracking port over MLflow's own tables: each method takes one statement or two."""

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import Engine, select
from typing_extensions import override

from gql_server.config.limits import StoreLimits
from gql_server.stores.ids import check_experiment_ids, check_run_ids, check_scopes
from gql_server.stores.sql import experiments
from gql_server.stores.sql.database.database import Database, database_of
from gql_server.stores.sql.histories.histories import read_histories, read_samples
from gql_server.stores.sql.histories.long_histories import SqlLongHistories
from gql_server.stores.sql.histories.sampled_points import SampleLimits
from gql_server.stores.sql.key_values import read_key_values
from gql_server.stores.sql.keyed_table import KeyedTable
from gql_server.stores.sql.logged_keys import read_logged_keys
from gql_server.stores.sql.metrics import read_metrics
from gql_server.stores.sql.models.models import SqlModels
from gql_server.stores.sql.registry.registry import SqlRegistry
from gql_server.stores.sql.run_groups import read_groups
from gql_server.stores.sql.runs import RunSearch, runs_by_id
from gql_server.stores.sql.search_conditions import in_scope, matching_runs
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.session_pool import SessionPool
from gql_server.stores.sql.tables import EXPERIMENT_TAGS, EXPERIMENTS, PARAMS, TAGS
from schema.ports.models import ModelStore
from schema.ports.registry import RegistryStore
from schema.ports.store_info import REGISTRY_FEATURES, StoreFeature, StoreInfo
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
    Tracking,
)


class SqlTracking(SqlLongHistories, Tracking):
    """MLflow's tables in SQLite, PostgreSQL, MySQL, MariaDB or SQL Server.

    An engine may stand for the database; the caller that created it disposes of it. `workspace` returns the
    workspace of the current request, None in a store without workspaces; it is called in the caller's
    context. `registry` is the model registry, if it is not in this database.
    """

    def __init__(
        self,
        database: Engine | Database,
        limits: StoreLimits,
        *,
        workspace: Callable[[], str | None] = lambda: None,
        registry: RegistryStore | None = None,
    ) -> None:
        if isinstance(database, Engine):
            database = database_of(database, limits)
        pool = SessionPool(database, limits.database_threads, limits.store_timeout, workspace)
        super().__init__(pool)
        self._sample_limits = SampleLimits(limits.max_sampled_points, limits.max_points)
        self._max_groups = limits.max_groups
        self._models = SqlModels(pool)
        self._registry: RegistryStore = registry or SqlRegistry(pool)

    @property
    @override
    def kind(self) -> StoreKind:
        return StoreKind.SQL

    @property
    @override
    def models(self) -> ModelStore:
        return self._models

    @property
    @override
    def registry(self) -> RegistryStore:
        return self._registry

    @override
    async def experiments(self, search: Search, page: Page) -> Pages:
        return await self._pool.read(lambda session: experiments.read_experiments(session, search, page))

    @override
    async def count_experiments(self, search: Search) -> int | None:
        return await self._pool.read(lambda session: experiments.count_experiments(session, search))

    @override
    async def experiments_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        check_experiment_ids(ids, self.kind)
        return await self._pool.read(lambda session: experiments.experiments_by_id(session, ids, columns))

    @override
    async def experiments_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        return await self._pool.read(lambda session: experiments.experiments_by_name(session, names, columns))

    @override
    async def experiment_tags(self, ids: Sequence[str], keys: Collection[str] | None) -> Many:
        check_experiment_ids(ids, self.kind)
        numbers = list(map(int, ids))
        return await self._pool.read(
            lambda session: read_key_values(session, KeyedTable(EXPERIMENT_TAGS), numbers, keys)
        )

    @override
    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        check_scopes(scopes, self.kind)
        return await self._pool.read(lambda session: self._search(session, search).pages(scopes, page))

    @override
    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> Sequence[int | None]:
        check_scopes(scopes, self.kind)
        return await self._pool.read(lambda session: self._search(session, search).counts(scopes))

    @override
    async def run_groups(self, scope: ExperimentScope, search: Search, grouping: Grouping) -> Groups:
        check_scopes([scope], self.kind)

        def read(session: Session) -> Groups:
            conditions = [*matching_runs(session, search), *in_scope(session, scope)]
            return read_groups(session, grouping, conditions, self._max_groups)

        return await self._pool.read(read)

    @override
    async def logged_keys(self, by: LoggedKind, experiment_ids: Sequence[str]) -> Sequence[Sequence[str]]:
        check_experiment_ids(experiment_ids, self.kind)
        return await self._pool.read(
            lambda session: read_logged_keys(session, by, experiment_ids, self._max_groups)
        )

    @override
    async def runs_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        check_run_ids(ids)
        return await self._pool.read(lambda session: runs_by_id(session, ids, columns))

    @override
    async def params(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        return await self._key_values(KeyedTable(PARAMS), run_ids, keys)

    @override
    async def tags(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        return await self._key_values(KeyedTable(TAGS), run_ids, keys)

    @override
    async def metrics(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        check_run_ids(run_ids)
        return await self._pool.read(lambda session: read_metrics(session, run_ids, keys))

    @override
    async def histories(
        self,
        series: Sequence[Series],
        from_step: int | None,
        to_step: int | None,
        sample: Sample | None = None,
    ) -> Many:
        # Of a sample, only the sampled points leave the worker thread. `LimitExceeded` is raised before any
        # point is read; on Postgres, unless a sample is read, once that many points are there as text.
        check_run_ids({run_id for run_id, _ in series})
        steps, limits = (from_step, to_step), self._sample_limits
        return await self._pool.read(
            lambda session: (
                read_samples(session, series, steps, sample, limits)
                if sample
                else read_histories(session, series, steps, limits.returned)
            )
        )

    @override
    async def info(self) -> StoreInfo:
        schema = await self._pool.schema()
        features = schema.features - REGISTRY_FEATURES | {StoreFeature.ARTIFACTS}
        return StoreInfo(schema.revision, features | frozenset(await self.registry.features()))

    @override
    async def ready(self) -> None:
        await self._pool.read(lambda session: session.rows(select(EXPERIMENTS.c.experiment_id).limit(1)))

    @override
    async def close(self) -> None:
        await self._pool.close()

    async def _key_values(
        self, table: KeyedTable, run_ids: Sequence[str], keys: Collection[str] | None
    ) -> Many:
        check_run_ids(run_ids)
        return await self._pool.read(lambda session: read_key_values(session, table, run_ids, keys))

    def _search(self, session: Session, search: Search) -> RunSearch:
        # Called in the worker thread: this parses the filter.
        return RunSearch(session, search, has_start_index=session.schema.has_start_index)
