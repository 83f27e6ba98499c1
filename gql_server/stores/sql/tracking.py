"""The tracking port over MLflow's own tables: each method takes one statement or two."""

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import Engine, select
from typing_extensions import override

from gql_server.config.limits import StoreLimits
from gql_server.stores.ids import check_experiment_ids, check_run_ids, check_scopes
from gql_server.stores.sql import experiments
from gql_server.stores.sql.database.database import Database, database_of
from gql_server.stores.sql.event_loop.loop_reader import LoopReader
from gql_server.stores.sql.histories.histories import read_histories, read_samples
from gql_server.stores.sql.histories.long_histories import SqlLongHistories
from gql_server.stores.sql.histories.point_feed import SqlPointFeed
from gql_server.stores.sql.histories.sampled_points import SampleLimits
from gql_server.stores.sql.key_values import read_key_values
from gql_server.stores.sql.keyed_table import KeyedTable
from gql_server.stores.sql.logged_keys import read_logged_keys
from gql_server.stores.sql.metrics import read_metrics
from gql_server.stores.sql.models.models import SqlModels
from gql_server.stores.sql.reader import Reader
from gql_server.stores.sql.registry.registry import SqlRegistry
from gql_server.stores.sql.run_groups import read_groups
from gql_server.stores.sql.runs import RunSearch, runs_by_id
from gql_server.stores.sql.search_conditions import in_scope, matching_runs
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.session_pool import SessionPool
from gql_server.stores.sql.short_reads import SHORT, SHORT_SERIES, is_simple, predicates_of
from gql_server.stores.sql.snapshot import Snapshot
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


class SqlReads(SqlLongHistories, SqlPointFeed, Tracking):
    """MLflow's tables, as a reader reads them. `registry` is the model registry, if it is elsewhere."""

    def __init__(self, reader: Reader, limits: StoreLimits, registry: RegistryStore | None) -> None:
        super().__init__(reader)
        self._limits = limits
        self._separate_registry = registry

    @property
    @override
    def kind(self) -> StoreKind:
        return StoreKind.SQL

    @property
    @override
    def models(self) -> ModelStore:
        return SqlModels(self._reader)

    @property
    @override
    def registry(self) -> RegistryStore:
        return self._separate_registry or SqlRegistry(self._reader)

    @override
    async def experiments(self, search: Search, page: Page) -> Pages:
        short = page.first <= SHORT and is_simple(search)
        return await self._reader.read(
            lambda session: experiments.read_experiments(session, search, page),
            short=short,
            predicates=predicates_of(search),
        )

    @override
    async def count_experiments(self, search: Search) -> int | None:
        return await self._reader.read(
            lambda session: experiments.count_experiments(session, search), short=is_simple(search)
        )

    @override
    async def experiments_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        check_experiment_ids(ids, self.kind)
        return await self._reader.read(
            lambda session: experiments.experiments_by_id(session, ids, columns), short=len(ids) <= SHORT
        )

    @override
    async def experiments_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        return await self._reader.read(
            lambda session: experiments.experiments_by_name(session, names, columns),
            short=len(names) <= SHORT,
        )

    @override
    async def experiment_tags(self, ids: Sequence[str], keys: Collection[str] | None) -> Many:
        check_experiment_ids(ids, self.kind)
        numbers = list(map(int, ids))
        return await self._reader.read(
            lambda session: read_key_values(session, KeyedTable(EXPERIMENT_TAGS), numbers, keys),
            short=len(ids) <= SHORT,
        )

    @override
    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        check_scopes(scopes, self.kind)
        short = page.first * len(scopes) <= SHORT and is_simple(search)
        return await self._reader.read(
            lambda session: self._search(session, search).pages(scopes, page),
            short=short,
            predicates=predicates_of(search),
        )

    @override
    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> Sequence[int | None]:
        check_scopes(scopes, self.kind)
        short = len(scopes) <= SHORT and is_simple(search)
        return await self._reader.read(
            lambda session: self._search(session, search).counts(scopes),
            short=short,
            predicates=predicates_of(search),
        )

    @override
    async def run_groups(self, scope: ExperimentScope, search: Search, grouping: Grouping) -> Groups:
        check_scopes([scope], self.kind)

        def read(session: Session) -> Groups:
            conditions = [*matching_runs(session, search), *in_scope(session, scope)]
            return read_groups(session, grouping, conditions, self._limits.max_groups)

        return await self._reader.read(read, predicates=predicates_of(search))

    @override
    async def logged_keys(
        self, by: LoggedKind, experiment_ids: Sequence[str]
    ) -> Sequence[Sequence[str] | None]:
        check_experiment_ids(experiment_ids, self.kind)
        return await self._reader.read(
            lambda session: read_logged_keys(session, by, experiment_ids, self._limits.max_groups)
        )

    @override
    async def runs_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        check_run_ids(ids)
        return await self._reader.read(
            lambda session: runs_by_id(session, ids, columns), short=len(ids) <= SHORT
        )

    @override
    async def params(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        return await self._key_values(KeyedTable(PARAMS), run_ids, keys)

    @override
    async def tags(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        return await self._key_values(KeyedTable(TAGS), run_ids, keys)

    @override
    async def metrics(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        check_run_ids(run_ids)
        return await self._reader.read(
            lambda session: read_metrics(session, run_ids, keys), short=len(run_ids) <= SHORT
        )

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
        steps, limits = (from_step, to_step), self._sample_limits()
        return await self._reader.read(
            lambda session: (
                read_samples(session, series, steps, sample, limits)
                if sample
                else read_histories(session, series, steps, limits.returned)
            ),
            short=len(series) <= SHORT_SERIES,
        )

    @override
    async def info(self) -> StoreInfo:
        schema = await self._reader.schema()
        features = schema.features - REGISTRY_FEATURES | {StoreFeature.ARTIFACTS}
        return StoreInfo(schema.revision, features | frozenset(await self.registry.features()))

    @override
    async def ready(self) -> None:
        statement = select(EXPERIMENTS.c.experiment_id).limit(1)
        await self._reader.read(lambda session: session.rows(statement), short=True)

    @override
    async def close(self) -> None:
        """Do nothing: others use the database."""

    def _sample_limits(self) -> SampleLimits:
        return SampleLimits(self._limits.max_sampled_points, self._limits.max_points)

    async def _key_values(
        self, table: KeyedTable, run_ids: Sequence[str], keys: Collection[str] | None
    ) -> Many:
        check_run_ids(run_ids)
        return await self._reader.read(
            lambda session: read_key_values(session, table, run_ids, keys), short=len(run_ids) <= SHORT
        )

    def _search(self, session: Session, search: Search) -> RunSearch:
        # Called in the worker thread: this parses the filter.
        return RunSearch(session, search, has_start_index=session.schema.has_start_index)


class SqlTracking(SqlReads):
    """MLflow's tables in SQLite, PostgreSQL, MySQL, MariaDB or SQL Server.

    An engine may stand for the database; the caller that created it disposes of it. `workspace` returns the
    workspace of the current request, None in a store without workspaces; it is called in the caller's
    context. `loop_reader` reads short results, if the database is PostgreSQL.
    """

    def __init__(
        self,
        database: Engine | Database,
        limits: StoreLimits,
        *,
        workspace: Callable[[], str | None] = lambda: None,
        registry: RegistryStore | None = None,
        loop_reader: LoopReader | None = None,
    ) -> None:
        if isinstance(database, Engine):
            database = database_of(database, limits)
        threads, timeout = limits.database_threads, limits.store_timeout
        self._pool = SessionPool(database, threads, timeout, workspace, loop_reader)
        super().__init__(self._pool, limits, registry)

    def snapshot(self, *, single_read: bool) -> "SqlSnapshot":
        """Return the port for one operation: all that it reads is of one state of the database.

        `single_read` states that the operation calls the port once at most, so that it needs no transaction.
        """
        reader = self._pool if single_read else Snapshot(self._pool)
        return SqlSnapshot(reader, self._limits, self._separate_registry)

    @override
    async def close(self) -> None:
        await self._pool.close()


class SqlSnapshot(SqlReads):
    """The port for one operation; `release` ends its transaction, if it has one."""

    def release(self) -> None:
        """End the transaction, without waiting for its end."""
        if isinstance(self._reader, Snapshot):
            self._reader.close()
