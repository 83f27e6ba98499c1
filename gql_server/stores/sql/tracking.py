"""The port over MLflow's own tables: each method is a statement or two, whatever it is asked for."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

from sqlalchemy import Engine, inspect, select

from gql_server.config.limits import StoreLimits
from gql_server.stores.ids import check_experiment_ids, check_run_ids, check_scopes
from gql_server.stores.sql import experiments as experiments_
from gql_server.stores.sql.histories.histories import read_histories, read_samples
from gql_server.stores.sql.histories.long_histories import SqlLongHistories
from gql_server.stores.sql.histories.sampled_points import SampleLimits
from gql_server.stores.sql.key_values import read_pairs
from gql_server.stores.sql.keyed_table import KeyedTable as LoggedTable
from gql_server.stores.sql.logged_keys import read_logged_keys
from gql_server.stores.sql.metrics import read_metrics
from gql_server.stores.sql.models.models import SqlModels
from gql_server.stores.sql.registry.registry import SqlRegistry
from gql_server.stores.sql.run_groups import read_groups
from gql_server.stores.sql.runs import RunSearch, runs_by_id
from gql_server.stores.sql.search_conditions import in_scope, matching_runs
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.session_pool import SessionPool
from gql_server.stores.sql.tables import EXPERIMENT_TAGS, EXPERIMENTS, PARAMS, RUNS, TAGS
from schema.ports.models import ModelStore
from schema.ports.registry import RegistryStore
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


class SqlTracking(SqlLongHistories):
    """MLflow's tables in SQLite, PostgreSQL, MySQL, MariaDB or SQL Server.

    `engine` may be a function: worker threads call it, and it may raise a `PublicError` or
    `StoreConfigError`. The caller that created the engine disposes of it. `workspace` returns the workspace
    of the current request, None in a store without workspaces; it is called in the caller's context.
    `registry` is the model registry, if it is not in this database.
    """

    def __init__(
        self,
        engine: Engine | Callable[[], Engine],
        limits: StoreLimits,
        *,
        workspace: Callable[[], str | None] = lambda: None,
        registry: RegistryStore | None = None,
    ) -> None:
        self._open: Callable[[], Engine] = (lambda: engine) if isinstance(engine, Engine) else engine
        self._reader = SessionPool(self._open, limits.database_threads, limits.store_timeout)
        self._limits = SampleLimits(limits.max_sampled_points, limits.max_points)
        self._max_groups = limits.max_groups
        self._workspace = workspace
        self._indexed: bool | None = None
        self.models: ModelStore = SqlModels(self._reader, workspace)
        self.registry: RegistryStore = registry or SqlRegistry(self._reader, workspace)

    @property
    def kind(self) -> StoreKind:
        """Say that it is a database."""
        return StoreKind.SQL

    async def experiments(self, search: Search, page: Page) -> Pages:
        """Return one page of experiments."""
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: experiments_.read_experiments(reading, search, page, workspace)
        )

    async def count_experiments(self, search: Search) -> int | None:
        """Count the matching experiments; there is no scan limit here."""
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: experiments_.count_experiments(reading, search, workspace)
        )

    async def experiments_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look experiments up, deleted ones too."""
        check_experiment_ids(ids, self.kind)
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: experiments_.experiments_by_id(reading, ids, columns, workspace)
        )

    async def experiments_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        """Look experiments up by their exact names, deleted ones too."""
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: experiments_.experiments_by_name(reading, names, columns, workspace)
        )

    async def experiment_tags(self, ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the tags of each experiment by key; all of them, or those under the keys given."""
        check_experiment_ids(ids, self.kind)
        logged = LoggedTable(EXPERIMENT_TAGS, self._workspace())
        return await self._reader.read(lambda reading: read_pairs(reading, logged, list(map(int, ids)), keys))

    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        """Return the first runs of each scope."""
        make = self._search(scopes, search)
        return await self._reader.read(lambda reading: make(reading).pages(reading, scopes, page))

    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> Sequence[int | None]:
        """Count the matching runs of each scope; there is no scan limit here."""
        make = self._search(scopes, search)
        return await self._reader.read(lambda reading: make(reading).counts(reading, scopes))

    async def run_groups(self, scope: ExperimentScope, search: Search, grouping: Grouping) -> Groups:
        """Group the matching runs; raise `LimitExceeded` for more than `max_groups` groups or summaries."""
        check_scopes([scope], self.kind)
        workspace = self._workspace()

        def read(reading: Session) -> Groups:
            conditions = [
                *matching_runs(reading.dialect, search),
                *in_scope(reading.dialect, scope, workspace),
            ]
            return read_groups(reading, grouping, conditions, self._max_groups)

        return await self._reader.read(read)

    async def logged_keys(self, by: LoggedKind, experiment_ids: Sequence[str]) -> Sequence[Sequence[str]]:
        """Return the distinct keys of each experiment's active runs; `LimitExceeded` as for groups."""
        check_experiment_ids(experiment_ids, self.kind)
        workspace = self._workspace()
        return await self._reader.read(
            lambda reading: read_logged_keys(reading, by, experiment_ids, workspace, self._max_groups)
        )

    async def runs_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look runs up, deleted ones too."""
        check_run_ids(ids)
        workspace = self._workspace()
        return await self._reader.read(lambda reading: runs_by_id(reading, ids, columns, workspace))

    async def params(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the params of each run by key; all of them, or those under the keys given."""
        return await self._pairs(LoggedTable(PARAMS, self._workspace()), run_ids, keys)

    async def tags(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the tags of each run by key; all of them, or those under the keys given."""
        return await self._pairs(LoggedTable(TAGS, self._workspace()), run_ids, keys)

    async def metrics(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the last value of each metric of each run by key; all, or those under the keys given."""
        check_run_ids(run_ids)
        workspace = self._workspace()
        return await self._reader.read(lambda reading: read_metrics(reading, run_ids, keys, workspace))

    async def histories(
        self,
        series: Sequence[Series],
        from_step: int | None,
        to_step: int | None,
        sample: Sample | None = None,
    ) -> Many:
        """Return the points of each metric by step, timestamp and value, both ends of the steps included.

        Of a sample, nothing but the sampled points leaves the thread that reads.
        Raises `LimitExceeded` where there are more than `max_points`: on Postgres, unless it is for a sample,
        once that many are there as text, elsewhere before any is read.
        """
        check_run_ids({run_id for run_id, _ in series})
        workspace, steps = self._workspace(), (from_step, to_step)
        limits = self._limits
        return await self._reader.read(
            lambda reading: (
                read_samples(reading, series, steps, workspace, sample, limits)
                if sample
                else read_histories(reading, series, steps, workspace, limits.returned)
            )
        )

    async def ready(self) -> None:
        """Return when the database answers; raise the fault that says why it does not."""
        await self._reader.read(lambda reading: reading.rows(select(EXPERIMENTS.c.experiment_id).limit(1)))

    async def close(self) -> None:
        """Let go of connections and threads."""
        await self._reader.close()

    async def _pairs(self, logged: LoggedTable, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        check_run_ids(run_ids)
        return await self._reader.read(lambda reading: read_pairs(reading, logged, run_ids, keys))

    def _search(self, scopes: Sequence[Scope], search: Search) -> Callable[[Session], RunSearch]:
        check_scopes(scopes, self.kind)
        make = partial(RunSearch, search=search, workspace=self._workspace())
        # Reading a filter and the indexes takes time and may take a connection: it is done in the thread.
        return lambda reading: make(reading.dialect, indexed=self._has_index())

    def _has_index(self) -> bool:
        """Say whether the owner of the database has added an index on runs by experiment and start."""
        if self._indexed is None:
            inspector = inspect(self._open())
            indexes = [index["column_names"] for index in inspector.get_indexes(RUNS.name)]
            self._indexed = any(names[:1] == ["experiment_id"] and "start_time" in names for names in indexes)
        return self._indexed
