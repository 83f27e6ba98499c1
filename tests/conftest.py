"""Fixtures: real stores, each fresh for a test; what is slow to make is made once a session."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.exceptions import RedisError
from sqlalchemy.engine import URL

from schema.store_kind import StoreKind
from tests.databases import MYSQL, POSTGRES, absent, database, skip_without, uri_of
from tests.demo_store import Demo, filled
from tests.servers import MlflowServer
from tests.stores import Store, copy_of, let_go, migrate, opened, sqlite_uri, wipe

STORES = ("sqlite", "postgres", "file", "server")
_REDIS_DATABASES = 16


@pytest.fixture(autouse=True, scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep artifacts out of the working folder, MLflow from calling home, and file stores allowed."""
    values = {
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": str(tmp_path_factory.mktemp("artifacts")),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("MLFLOW_TRACKING", "GQL_"))]:
            patch.delenv(name)
        for name, value in values.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a SQLite file with all of MLflow's tables and no rows; to be copied, not used."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(sqlite_uri(path))
    return path


@pytest.fixture
def sqlite_store(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """Give an empty store in a SQLite file of the test's own."""
    with opened("sqlite", copy_of(sqlite_template, tmp_path / "mlflow.db")) as store:
        yield store


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[URL]:
    """Give a Postgres database with all of MLflow's tables and no rows; to be copied, not used."""
    skip_without(POSTGRES)
    with database(POSTGRES) as url:
        migrate(uri_of(url))
        yield url


@pytest.fixture
def postgres_store(postgres_template: URL) -> Iterator[Store]:
    """Give an empty store in a Postgres database of the test's own."""
    with (
        database(POSTGRES, template=postgres_template.database) as url,
        opened("postgres", uri_of(url)) as store,
    ):
        yield store


@pytest.fixture(scope="session")
def mysql_database() -> Iterator[str]:
    """Give the URI of a MySQL or MariaDB database with all of MLflow's tables, shared by the session."""
    skip_without(MYSQL)
    with database(MYSQL) as url:
        migrate(uri_of(url))
        yield uri_of(url)
        let_go(uri_of(url))


@pytest.fixture
def mysql_store(mysql_database: str) -> Iterator[Store]:
    """Give an empty store in MySQL or MariaDB."""
    wipe(mysql_database)
    with opened("mysql", mysql_database) as store:
        yield store


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Store]:
    """Give an empty store in a folder of files."""
    with opened("file", (tmp_path / "mlruns").as_uri(), StoreKind.FILE) as store:
        yield store


@pytest.fixture(scope="session")
def shared_mlflow_server(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MlflowServer]:
    """Give the session's MLflow server; tests that kill one take `mlflow_server`."""
    with _serving(sqlite_template, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def mlflow_server(sqlite_template: Path, tmp_path: Path) -> Iterator[MlflowServer]:
    """Give an MLflow server of the test's own, to kill and to start again."""
    folder = tmp_path / "server"
    folder.mkdir()
    with _serving(sqlite_template, folder) as server:
        yield server


@pytest.fixture
def server_store(shared_mlflow_server: MlflowServer) -> Iterator[Store]:
    """Give an empty store behind an MLflow server."""
    wipe(shared_mlflow_server.database_uri)
    with opened("server", shared_mlflow_server.uri, StoreKind.MLFLOW_SERVER) as store:
        yield store


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    """Give each kind of store in turn, empty."""
    kind: Store = request.getfixturevalue(f"{request.param}_store")
    return kind


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Give the demo's store, in a directory with a space in its name; tests leave it as it is."""
    return filled(tmp_path_factory.mktemp("demo") / "a store")


@pytest.fixture
def redis_url() -> Iterator[str]:
    """Give the URL of an empty Redis database, and empty it afterwards."""
    server = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379").rstrip("/")
    # Counted down from the last, and by worker, since people keep theirs in the first.
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for number in range(_REDIS_DATABASES - 1 - worker, 0, -1):
        url = f"{server}/{number}"
        with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
            try:
                empty = client.dbsize() == 0
            except RedisError as error:
                absent(f"Redis at {server}", error)
            if not empty:
                continue
            yield url
            client.flushdb()
            return
    absent("empty Redis database", LookupError())


@contextmanager
def _serving(template: Path, folder: Path) -> Iterator[MlflowServer]:
    server = MlflowServer(copy_of(template, folder / "mlflow.db"), folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
