"""What a database must have to be served, and what is optional."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from gql_server.stores.sql.database.database import Database, database_of
from gql_server.stores.sql.database.database_schema import REGISTRY_TABLES
from gql_server.stores.sql.database.read_engine import create_read_engine
from gql_server.stores.sql.tracking import SqlTracking
from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.errors import StoreUnavailable
from schema.ports.registry import VersionKey
from schema.ports.store_info import StoreFeature
from schema.ports.tracking import Page, Search
from tests.support.limits import LIMITS, store_limits
from tests.support.stores.schema_changes import execute_on_file, interrupt_write, renamed_table
from tests.support.stores.sql_rows import WHOLE_PAGE
from tests.support.stores.store import Store, copy_template, sqlite_uri

RUN_ID = "0" * 32
MODEL_ID = "m-" + "0" * 32
EVERY_COLUMN = frozenset({"name", "version"})


def open_database(uri: str, *, workspaces: bool = False) -> StoreConfigError | StoreUnavailable | None:
    """Open a database for reading, and return the error."""
    limits = store_limits(store_timeout=0.5)
    database = Database(uri, lambda: create_read_engine(uri, 1, 0.5), limits, workspaces=workspaces)
    try:
        database.get()
    except (StoreConfigError, StoreUnavailable) as error:
        return error
    finally:
        database.close()
    return None


def changed_copy(template: Path, path: Path, *statements: str) -> str:
    """Copy a SQLite store, change its schema, and return its URI."""
    uri = copy_template(template, path)
    execute_on_file(path, *statements)
    return uri


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (["DROP TABLE metrics"], "it has no table metrics"),
        (["DROP TABLE experiments"], "it has no table experiments"),
        (["ALTER TABLE runs RENAME COLUMN end_time TO ended"], "runs has no column end_time"),
        (
            ["DROP TABLE params", "CREATE TABLE params (run_uuid TEXT, key TEXT, value INTEGER)"],
            "params.value is INTEGER, not a text",
        ),
        (["INSERT INTO alembic_version VALUES ('ffffffffffff')"], "2 schema revisions at once"),
    ],
)
def test_incomplete_database_is_refused(
    sqlite_template: Path, tmp_path: Path, statements: list[str], message: str
) -> None:
    """Without a table or column that runs need, a database is not served, and it is not changed."""
    path = tmp_path / "incomplete.db"
    uri = changed_copy(sqlite_template, path, *statements)
    before = path.read_bytes()
    error = open_database(uri)
    assert isinstance(error, StoreConfigError)
    assert message in str(error)
    assert "\n" not in str(error)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_database_of_another_application_is_refused(tmp_path: Path) -> None:
    """The message names at most five problems."""
    path = tmp_path / "other.db"
    execute_on_file(path, "CREATE TABLE runs (id INTEGER)")
    error = open_database(sqlite_uri(path))
    assert isinstance(error, StoreConfigError)
    assert "is not MLflow's, or is incomplete" in str(error)
    assert "; and 10 more" in str(error)


def test_empty_database_is_refused(tmp_path: Path) -> None:
    """An empty file stays empty."""
    path = tmp_path / "empty.db"
    path.touch()
    assert "is empty" in str(open_database(sqlite_uri(path)))
    assert path.stat().st_size == 0


def test_locked_database_is_unavailable(sqlite_template: Path, tmp_path: Path) -> None:
    """While a migration holds the lock, the reason is that the file is locked."""
    uri = copy_template(sqlite_template, tmp_path / "locked.db")
    with closing(sqlite3.connect(tmp_path / "locked.db", isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        error = open_database(uri)
    assert isinstance(error, StoreUnavailable)
    assert "locked by another process" in str(error)
    assert open_database(uri) is None


def test_interrupted_write_is_reported(sqlite_template: Path, tmp_path: Path) -> None:
    """A file whose last writer was killed needs a program that may write; it is not repaired here."""
    copy = tmp_path / "copy.db"
    interrupt_write(sqlite_template, copy)
    before = copy.read_bytes()
    error = open_database(sqlite_uri(copy))
    assert isinstance(error, StoreUnavailable)
    assert "not closed properly" in str(error)
    assert copy.read_bytes() == before


def test_any_revision_is_served(sqlite_template: Path, tmp_path: Path) -> None:
    """The revision is reported and not compared; a database without one is served, too."""
    for statement, revision in (
        ("UPDATE alembic_version SET version_num = 'ffffffffffff'", "ffffffffffff"),
        ("DELETE FROM alembic_version", None),
        ("DROP TABLE alembic_version", None),
    ):
        path = tmp_path / "any.db"
        uri = changed_copy(sqlite_template, path, statement)
        database = Database(uri, lambda uri=uri: create_read_engine(uri, 1, 1.0), LIMITS.store)  # type: ignore[misc]
        assert database.get().schema.revision == revision
        database.close()


def test_workspaces_must_exist_if_they_are_enabled(sqlite_template: Path, tmp_path: Path) -> None:
    """With MLFLOW_ENABLE_WORKSPACES a database without workspaces is refused: nothing would separate them."""
    path = tmp_path / "old.db"
    statement = "ALTER TABLE experiments RENAME COLUMN workspace TO other"
    uri = changed_copy(sqlite_template, path, statement)
    assert "has no workspaces" in str(open_database(uri, workspaces=True))
    assert open_database(uri) is None
    assert open_database(sqlite_uri(sqlite_template), workspaces=True) is None


async def test_missing_features_are_empty(engine: Engine) -> None:
    """Without the tables of datasets, logged models and the registry their lists are empty."""
    schema = database_of(engine, LIMITS.store).get().schema
    assert schema.features == frozenset(StoreFeature) - {StoreFeature.ARTIFACTS}
    with renamed_table(engine, "input_tags", "logged_model_metrics", "model_version_tags"):
        await _check_that_features_are_empty(SqlTracking(engine, LIMITS.store))


async def _check_that_features_are_empty(tracking: SqlTracking) -> None:
    assert (await tracking.info()).features == {StoreFeature.ARTIFACTS}
    page, name, key = Page(5, None, EVERY_COLUMN), "model", VersionKey("model", "1")
    registry, models = tracking.registry, tracking.models
    lists = [
        await models.datasets([RUN_ID], {"name", "context"}),
        await models.of_runs([RUN_ID], {"name"}),
        await models.params([MODEL_ID]),
        await models.tags([MODEL_ID]),
        await models.metrics([MODEL_ID]),
        await registry.model_tags([name]),
        await registry.aliases([name]),
        await registry.version_tags([key]),
        await registry.versions_of_runs([RUN_ID], {"name"}),
    ]
    assert [each.spans for each in lists] == [[(0, 0)]] * len(lists)
    pages = [
        await models.of_experiments(["0"], page),
        await registry.models(None, page),
        await registry.versions([name], page),
    ]
    assert [(each.spans, each.has_next) for each in pages] == [([(0, 0)], [False])] * 3
    assert (await models.by_id([MODEL_ID], {"name"})).index == [None]
    assert (await registry.models_by_name([name], {"name"})).index == [None]
    assert (await registry.versions_by_key([key], {"name"})).index == [None]
    assert await models.count_of_experiments(["0"]) == [0]
    assert await registry.count_models(None) == 0
    assert await registry.count_versions([name]) == [0]
    assert await tracking.count_runs([("0",)], Search()) == [0]
    assert (await tracking.experiments(Search(), WHOLE_PAGE)).rows.size == 1
    await tracking.close()


def test_registry_database_needs_no_runs(sqlite_template: Path, tmp_path: Path) -> None:
    """A database that is only a registry needs the registry's tables, not those of runs."""
    path = tmp_path / "registry.db"
    uri = changed_copy(sqlite_template, path, "DROP TABLE metrics", "DROP TABLE runs")
    database = Database(uri, lambda: create_read_engine(uri, 1, 1.0), LIMITS.store, required=REGISTRY_TABLES)
    assert database.get().schema.has(StoreFeature.REGISTRY)
    database.close()
    assert isinstance(open_database(uri), StoreConfigError)


_LOCKS = {
    "postgresql": "LOCK TABLE runs, experiments, alembic_version IN ACCESS EXCLUSIVE MODE",
    "mysql": "LOCK TABLES runs WRITE, experiments WRITE, alembic_version WRITE",
}


@pytest.mark.parametrize("name", ["postgres", "mysql"])
async def test_locked_tables_make_the_store_unavailable(request: pytest.FixtureRequest, name: str) -> None:
    """While a migration holds a table, opening fails within the timeout, and the reason is the lock."""
    store: Store = request.getfixturevalue(f"{name}_store")
    engine = create_engine(store.uri, poolclass=NullPool)
    try:
        with engine.connect() as migration:
            migration.execute(text(_LOCKS[engine.dialect.name]))
            error = open_database(store.uri)
            assert isinstance(error, StoreUnavailable)
            assert "locked by another process" in str(error)
        assert open_database(store.uri) is None
    finally:
        engine.dispose()
