"""Fixtures of real, empty stores. Templates and servers are slow to create, so the session shares them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, is_hypothesis_test, settings
from hypothesis.database import DirectoryBasedExampleDatabase
from redis.exceptions import RedisError
from sqlalchemy.engine import URL

from gql_server.stores.azure import plugin_stores
from schema.ports.store_kind import StoreKind
from tests.support.azure.certificate import write_certificate
from tests.support.azure.emulator import Emulator, emulated_workspace
from tests.support.azure.marker import mark_azure_tests, require_plugin
from tests.support.requirements import skip_or_fail
from tests.support.servers.mlflow_server import MlflowServer
from tests.support.servers.redis_databases import lock_redis_database
from tests.support.servers.running_mlflow import database_server, sqlite_server
from tests.support.stores.databases import (
    MYSQL,
    POSTGRES,
    require_database_server,
    temporary_database,
    tracking_uri,
)
from tests.support.stores.demo_store import Demo, create_demo
from tests.support.stores.store import (
    Store,
    copy_template,
    dispose_engine,
    empty_database,
    migrate,
    open_test_store,
    sqlite_uri,
)

STORES = ("sqlite", "postgres", "mysql", "file", "server", "azure")
_REDIS_DATABASES = 16
_FOREIGN_VARIABLES = ("MLFLOW_TRACKING", "GQL_", "AZURE", "IDENTITY_", "MSI_", "ARM_CLOUD")
"""Prefixes of the environment variables that would give tests the stores or credentials of a developer."""


settings.register_profile(
    "tests",
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "fuzz",
    settings.get_profile("tests"),
    derandomize=False,
    database=DirectoryBasedExampleDatabase(Path(__file__).parent.parent / ".hypothesis" / "examples"),
)
# The same examples on every machine; --hypothesis-profile takes precedence.
settings.load_profile("tests")
_FUZZ_FACTOR = 3
"""How many times as many examples the profile `fuzz` draws: the first examples of a test are small."""


@pytest.hookimpl(tryfirst=True)  # before the option -m chooses by the markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of Azure, and multiply the examples of each property test in the profile `fuzz`."""
    mark_azure_tests(items)
    if settings.get_current_profile_name() != "fuzz":
        return
    # All parameters of a test share one function.
    for test in {
        item.obj for item in items if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj)
    }:
        current = test._hypothesis_internal_use_settings  # noqa: SLF001 - a test's settings have no public name
        more = settings(current, max_examples=_FUZZ_FACTOR * current.max_examples)
        test._hypothesis_internal_use_settings = more  # noqa: SLF001


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the tests of Azure where its plugin is missing."""
    require_plugin(item)


@pytest.fixture(autouse=True, scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Isolate the tests from the environment: artifacts, telemetry, credentials and proxies.

    The servers of the tests are on loopback, so a proxy of the environment must not be used for them.
    """
    no_proxy = ",".join(["127.0.0.1", "localhost", *filter(None, [os.environ.get("no_proxy")])])
    values = {
        "no_proxy": no_proxy,
        "NO_PROXY": no_proxy,
        "GQL_ALLOWED_HOSTS": "test",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        # Since 3.17 `mlflow server` refuses artifact locations on other hosts, which older servers have.
        "MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES": "ftp,http,https,mlflow-artifacts",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": str(tmp_path_factory.mktemp("artifacts")),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ.keys() - {"GQL_TEST_ENVIRONMENTS"}:
            if name.startswith(_FOREIGN_VARIABLES):
                patch.delenv(name)
        for name, value in values.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite file with MLflow's tables and no rows, which tests copy and do not change."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(sqlite_uri(path))
    return path


@pytest.fixture
def sqlite_store(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """Yield an empty store in a SQLite file."""
    with open_test_store("sqlite", copy_template(sqlite_template, tmp_path / "mlflow.db")) as store:
        yield store


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[URL]:
    """Yield a Postgres database with MLflow's tables and no rows, which tests copy and do not change."""
    require_database_server(POSTGRES)
    with temporary_database(POSTGRES) as url:
        migrate(tracking_uri(url))
        yield url


@pytest.fixture
def postgres_store(postgres_template: URL) -> Iterator[Store]:
    """Yield an empty store in a new Postgres database."""
    with (
        temporary_database(POSTGRES, template=postgres_template.database) as url,
        open_test_store("postgres", tracking_uri(url)) as store,
    ):
        yield store


@pytest.fixture(scope="session")
def mysql_database() -> Iterator[str]:
    """Yield the URI of a MySQL or MariaDB database with MLflow's tables, shared by the session."""
    require_database_server(MYSQL)
    with temporary_database(MYSQL) as url:
        migrate(tracking_uri(url))
        yield tracking_uri(url)
        dispose_engine(tracking_uri(url))


@pytest.fixture
def mysql_store(mysql_database: str) -> Iterator[Store]:
    """Yield an empty store in MySQL or MariaDB."""
    empty_database(mysql_database)
    with open_test_store("mysql", mysql_database) as store:
        yield store


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Store]:
    """Yield an empty store in a folder of files."""
    with open_test_store("file", (tmp_path / "mlruns").as_uri(), StoreKind.FILE) as store:
        yield store


@pytest.fixture(scope="session")
def shared_mlflow_server(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MlflowServer]:
    """Yield the session's MLflow server. Tests that kill a server use `mlflow_server` instead."""
    with sqlite_server(sqlite_template, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def mlflow_server(sqlite_template: Path, tmp_path: Path) -> Iterator[MlflowServer]:
    """Yield an MLflow server that the test may kill and restart."""
    folder = tmp_path / "server"
    folder.mkdir()
    with sqlite_server(sqlite_template, folder) as server:
        yield server


@pytest.fixture
def server_store(shared_mlflow_server: MlflowServer) -> Iterator[Store]:
    """Yield an empty store behind an MLflow server."""
    empty_database(shared_mlflow_server.database_uri)
    with open_test_store("server", shared_mlflow_server.uri, StoreKind.MLFLOW_SERVER) as store:
        yield store


@pytest.fixture(scope="session")
def _mysql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    require_database_server(MYSQL)
    with database_server(MYSQL, tmp_path_factory.mktemp("mysql-server")) as server:
        yield server


@pytest.fixture(scope="session")
def _postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    require_database_server(POSTGRES)
    with database_server(POSTGRES, tmp_path_factory.mktemp("postgres-server")) as server:
        yield server


@pytest.fixture
def mysql_server_store(_mysql_server: MlflowServer) -> Iterator[Store]:
    """Yield an empty store behind an MLflow server over MySQL, which ignores case by default."""
    empty_database(_mysql_server.database_uri)
    with open_test_store("mysql-server", _mysql_server.uri, StoreKind.MLFLOW_SERVER) as store:
        yield store


@pytest.fixture
def postgres_server_store(_postgres_server: MlflowServer) -> Iterator[Store]:
    """Yield an empty store behind an MLflow server over Postgres, which rejects text as a number."""
    empty_database(_postgres_server.database_uri)
    with open_test_store("postgres-server", _postgres_server.uri, StoreKind.MLFLOW_SERVER) as store:
        yield store


@pytest.fixture(scope="session")
def azure_service(
    shared_mlflow_server: MlflowServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Emulator]:
    """Yield the session's emulator of an Azure workspace, and set the variables of its managed identity."""
    certificate = write_certificate(tmp_path_factory.mktemp("azure"))
    with (
        emulated_workspace(shared_mlflow_server.uri, certificate) as (emulator, identity),
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in {
            "REQUESTS_CA_BUNDLE": str(certificate),
            "IDENTITY_ENDPOINT": identity,
            "IDENTITY_HEADER": "secret",
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "AZUREML_CURRENT_CLOUD": "AzureCloud",
        }.items():
            patch.setenv(name, value)
        yield emulator


@pytest.fixture
def azure(azure_service: Emulator, shared_mlflow_server: MlflowServer) -> Emulator:
    """Return the emulator of a workspace in its initial state, over an empty store."""
    empty_database(shared_mlflow_server.database_uri)
    azure_service.reset()
    # These cached contexts have the credential of the previous test, or its failure.
    plugin_stores._contexts.clear()  # noqa: SLF001 - there is no public function
    return azure_service


@pytest.fixture
def azure_store(azure: Emulator) -> Iterator[Store]:
    """Yield an empty Azure workspace. Its client connects to the server behind the emulator."""
    with open_test_store("azure", azure.uri, StoreKind.AZURE_ML, client_uri=azure.upstream) as store:
        yield store


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    """Return an empty store of each kind."""
    store: Store = request.getfixturevalue(f"{request.param}_store")
    return store


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Return the demo store, in a directory with a space in its name. Tests do not change it."""
    return create_demo(tmp_path_factory.mktemp("demo") / "a store")


@pytest.fixture
def redis_url() -> Iterator[str]:
    """Yield the URL of an empty Redis database, and empty it afterwards."""
    server = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379").rstrip("/")
    # From the last database down, because the first ones are more often in use.
    for number in range(_REDIS_DATABASES - 1, 0, -1):
        url = f"{server}/{number}"
        with (
            lock_redis_database(number) as locked,
            redis.Redis.from_url(url, socket_timeout=30, socket_connect_timeout=5) as client,
        ):
            try:
                empty = locked and client.dbsize() == 0
            except RedisError as error:
                skip_or_fail(f"Redis at {server}", error)
            if not empty:
                continue
            yield url
            client.flushdb()
            return
    skip_or_fail("empty Redis database", LookupError())
