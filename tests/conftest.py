"""Fixtures: real stores, each fresh for a test; what is slow to make is made once a session."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.exceptions import RedisError
from sqlalchemy.engine import URL

from gql_server.stores.azure import plugin_stores
from schema.ports.store_kind import StoreKind
from tests.support.azure.certificate import write_certificate
from tests.support.azure.emulator import Emulator, emulated_workspace
from tests.support.servers.mlflow_server import MlflowServer
from tests.support.stores.databases import MYSQL, POSTGRES, absent, database, skip_without, uri_of
from tests.support.stores.demo_store import Demo, filled
from tests.support.stores.store import Store, copy_template, dispose_engine, migrate, opened, sqlite_uri, wipe

STORES = ("sqlite", "postgres", "mysql", "file", "server", "azure")
_REDIS_DATABASES = 16
_OTHERS = ("MLFLOW_TRACKING", "GQL_", "AZURE", "IDENTITY_", "MSI_", "ARM_CLOUD")
"""How the variables begin by which somebody's own stores and credentials would come into the tests."""


@pytest.fixture(autouse=True, scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep artifacts out of the working folder, MLflow from calling home, and file stores allowed."""
    values = {
        "GQL_ALLOWED_HOSTS": "test",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": str(tmp_path_factory.mktemp("artifacts")),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(_OTHERS)]:
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
    with opened("sqlite", copy_template(sqlite_template, tmp_path / "mlflow.db")) as store:
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
        dispose_engine(uri_of(url))


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


@pytest.fixture(scope="session")
def _mysql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    skip_without(MYSQL)
    with _serving_database(MYSQL, tmp_path_factory.mktemp("mysql-server")) as server:
        yield server


@pytest.fixture(scope="session")
def _postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    skip_without(POSTGRES)
    with _serving_database(POSTGRES, tmp_path_factory.mktemp("postgres-server")) as server:
        yield server


@pytest.fixture
def mysql_server_store(_mysql_server: MlflowServer) -> Iterator[Store]:
    """Give an empty store behind an MLflow server whose database does not tell case by itself."""
    wipe(_mysql_server.database_uri)
    with opened("mysql-server", _mysql_server.uri, StoreKind.MLFLOW_SERVER) as store:
        yield store


@pytest.fixture
def postgres_server_store(_postgres_server: MlflowServer) -> Iterator[Store]:
    """Give an empty store behind an MLflow server whose database takes no text for a number."""
    wipe(_postgres_server.database_uri)
    with opened("postgres-server", _postgres_server.uri, StoreKind.MLFLOW_SERVER) as store:
        yield store


@pytest.fixture(scope="session")
def azure_service(
    shared_mlflow_server: MlflowServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Emulator]:
    """Give the session's emulator of an Azure workspace, and the managed identity of a machine in Azure."""
    certificate = write_certificate(tmp_path_factory.mktemp("azure"))
    with (
        emulated_workspace(shared_mlflow_server.uri, certificate) as (emulator, identity),
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in {
            "REQUESTS_CA_BUNDLE": str(certificate),
            "IDENTITY_ENDPOINT": identity,
            "IDENTITY_HEADER": "a secret of the machine",
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "AZUREML_CURRENT_CLOUD": "AzureCloud",
        }.items():
            patch.setenv(name, value)
        yield emulator


@pytest.fixture
def azure(azure_service: Emulator, shared_mlflow_server: MlflowServer) -> Emulator:
    """Give the emulator of a workspace as it is before anybody told it anything, over an empty store."""
    wipe(shared_mlflow_server.database_uri)
    azure_service.reset()
    # What is opened without a store takes the workspace's last credential, and a failure that it remembers.
    plugin_stores._contexts.clear()  # noqa: SLF001 - there is no other way to forget them
    return azure_service


@pytest.fixture
def azure_store(azure: Emulator) -> Iterator[Store]:
    """Give an empty workspace of Azure's; its client is MLflow's own, of the server behind the emulator."""
    with opened("azure", azure.uri, StoreKind.AZURE_ML, written_by=azure.upstream) as store:
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
    # Counted down from the last, since people keep theirs in the first.
    for number in range(_REDIS_DATABASES - 1, 0, -1):
        url = f"{server}/{number}"
        with (
            _ours(number) as free,
            redis.Redis.from_url(url, socket_timeout=30, socket_connect_timeout=5) as client,
        ):
            try:
                empty = free and client.dbsize() == 0
            except RedisError as error:
                absent(f"Redis at {server}", error)
            if not empty:
                continue
            yield url
            client.flushdb()
            return
    absent("empty Redis database", LookupError())


@contextmanager
def _ours(number: int) -> Iterator[bool]:
    """Say whether a Redis database is nobody else's among the workers, of this run and of any other."""
    # Whoever is killed lets go of it, though not of what is in it.
    with (Path(tempfile.gettempdir()) / f"gql-test-redis-{number}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def _serving_database(url: URL, folder: Path) -> Iterator[MlflowServer]:
    with database(url) as own:
        migrate(uri_of(own))
        with _started(MlflowServer(uri_of(own), folder)) as server:
            yield server
        dispose_engine(uri_of(own))


@contextmanager
def _serving(template: Path, folder: Path) -> Iterator[MlflowServer]:
    with _started(MlflowServer(copy_template(template, folder / "mlflow.db"), folder)) as server:
        yield server


@contextmanager
def _started(server: MlflowServer) -> Iterator[MlflowServer]:
    server.start()
    try:
        yield server
    finally:
        server.kill()
