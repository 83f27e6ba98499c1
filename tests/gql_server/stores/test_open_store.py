"""Opening a tracking URI: nothing is created or migrated, and errors have one line."""

import asyncio
import hashlib
import os
import re
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from mlflow.store.db.utils import _get_alembic_config
from sqlalchemy.engine import URL, make_url

from gql_server.stores.mlflow.tracking import MlflowTracking
from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import kind_of, redacted_uri
from schema.ports.errors import StoreUnavailable
from schema.ports.lifecycle import LifecycleView
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Search
from tests.support.limits import LIMITS, store_limits
from tests.support.servers.free_ports import free_port
from tests.support.stores.schema_changes import execute_on_file
from tests.support.stores.store import Store, copy_template, sqlite_uri

EVERYTHING = Search(view=LifecycleView.ALL)


async def config_error(uri: str) -> str:
    """Return the message of the `StoreConfigError` that a URI raises."""
    port = MlflowTracking(uri, LIMITS.store)
    try:
        with pytest.raises(StoreConfigError) as caught:
            await port.open()
    finally:
        await port.close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def digest(path: Path) -> str:
    """Return a digest of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def revision_of(path: Path) -> str:
    """Return the revision of a SQLite file's schema."""
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def downgrade(path: Path, revision: str) -> None:
    """Downgrade a SQLite file to an older revision of MLflow's schema."""
    engine = sqlalchemy.create_engine(sqlite_uri(path))
    config = _get_alembic_config(sqlite_uri(path))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, revision)
    finally:
        engine.dispose()


def names_in(folder: Path) -> list[str]:
    """Return the names of the files in a folder."""
    return [result.name for result in folder.iterdir()]


async def test_every_store_opens(store: Store) -> None:
    """Each kind of store opens, can be read, and can be closed."""
    port = MlflowTracking(store.uri, LIMITS.store)
    await port.open()
    await port.ready()
    assert port.kind is store.kind
    assert await port.count_experiments(EVERYTHING) == 1
    await port.close()


async def test_mysql_opens(mysql_store: Store) -> None:
    """MySQL and MariaDB open like the others."""
    port = MlflowTracking(mysql_store.uri, LIMITS.store)
    await port.open()
    assert await port.count_experiments(EVERYTHING) == 1
    await port.close()


@pytest.mark.parametrize("steps", [1, 5])
async def test_outdated_database_is_not_opened_for_changes(
    sqlite_template: Path, tmp_path: Path, steps: int
) -> None:
    """MLflow would migrate an older database; it does not change by a byte, and both revisions are named."""
    path = tmp_path / "old.db"
    uri = copy_template(sqlite_template, path)
    downgrade(path, f"-{steps}")
    before = digest(path)
    message = await config_error(uri)
    assert revision_of(path) in message
    assert revision_of(sqlite_template) in message
    assert "Install the MLflow version of the database here" in message
    assert "`mlflow server`" in message
    assert digest(path) == before
    assert names_in(tmp_path) == ["old.db"]


async def test_newer_database_is_not_opened_for_changes(sqlite_template: Path, tmp_path: Path) -> None:
    """A database of a later MLflow is not changed either; nor is one that lacks a table."""
    path = tmp_path / "new.db"
    for statement, expected in (
        ("UPDATE alembic_version SET version_num = 'ffffffffffff'", "the database has ffffffffffff"),
        ("DELETE FROM alembic_version", "the database has none"),
        ("DROP TABLE webhook_events", "lacks tables of MLflow .*webhook_events"),
    ):
        uri = copy_template(sqlite_template, path)
        execute_on_file(path, statement)
        before = digest(path)
        assert re.search(expected, await config_error(uri))
        assert digest(path) == before


@pytest.mark.parametrize(
    "form", ["sqlite:///{}", "sqlite:///file:{}?uri=true", "sqlite:///file:{}?mode=ro&uri=true"]
)
async def test_missing_file_is_not_created(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a missing file creates neither the file nor a folder."""
    monkeypatch.chdir(tmp_path)
    assert "no such file" in await config_error(form.format(tmp_path / "no" / "such.db"))
    assert names_in(tmp_path) == []


async def test_file_name_with_special_characters_opens(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name may contain characters that are special in URIs; SQLite's own form of URI works too."""
    monkeypatch.chdir(tmp_path)
    odd = tmp_path / "a b#c%20d.db"
    copy_template(sqlite_template, odd)
    named = URL.create("sqlite", database=str(odd)).render_as_string()
    for uri in (named, f"sqlite:///file:{sqlite_template}?mode=ro&uri=true"):
        port = MlflowTracking(uri, LIMITS.store)
        await port.open()
        assert await port.count_experiments(EVERYTHING) == 0
        await port.close()
    assert names_in(tmp_path) == [odd.name]


async def test_file_without_database_is_refused(tmp_path: Path) -> None:
    """A file that is no database is distinguished from a locked database."""
    path = tmp_path / "text.db"
    path.write_text("something else, and rather more of it than a header\n" * 99)
    assert "not a database" in await config_error(sqlite_uri(path))


async def test_create_makes_a_local_store(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With `create`, a missing local store is created, without output."""
    uri = sqlite_uri(tmp_path / "new" / "mlflow.db")
    port = MlflowTracking(uri, LIMITS.store, create=True)
    await port.open()
    result = await port.experiments_by_id(["0"], {"name"})
    assert result.rows["name"] == ["Default"]
    await port.close()
    assert capfd.readouterr().err == ""
    again = MlflowTracking(uri, LIMITS.store)
    await again.open()
    await again.close()


async def test_password_is_not_in_messages(postgres_store: Store) -> None:
    """A wrong password is an error in configuration, and the message does not contain it."""
    # A user that may log in without a password needs none; an unknown user is refused in any case.
    url = make_url(postgres_store.uri).set(username="nobody_at_all", password="s3cret")
    expected = await config_error(url.render_as_string(hide_password=False))
    assert "s3cret" not in expected
    assert "nobody_at_all:***@" in expected


async def test_wrong_mysql_password_is_a_config_error(mysql_store: Store) -> None:
    """MySQL's refusal of a password is an error in configuration."""
    url = make_url(mysql_store.uri).set(username="nobody_at_all", password="s3cret")
    expected = await config_error(url.render_as_string(hide_password=False))
    assert "Access denied" in expected
    assert "s3cret" not in expected


async def test_unknown_database_is_a_config_error(postgres_store: Store) -> None:
    """A database that does not exist on the server is an error in configuration."""
    url = make_url(postgres_store.uri).set(database="gql_no_such")
    assert "does not exist" in await config_error(url.render_as_string(hide_password=False))


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("mysql://h/d", "pip install 'mlflow-gql-server[mysql]'; write the URI as mysql+pymysql://"),
        ("mssql://u:pw@h/d", "pip install pyodbc"),
        ("postgresql+asyncpg://h/d", "asyncpg is asynchronous; use postgresql://"),
        ("postgresql+nonsense://h/d", "nonsense"),
        ("nonsense://u:pw@h", "supports the scheme 'nonsense'"),
        ("postgresql://h:port/d", "SQLAlchemy can read"),
        ("uc", "Unity Catalog"),
    ],
)
async def test_missing_package_is_reported(uri: str, expected: str) -> None:
    """The message for a missing driver or plugin has the command that installs it."""
    message = await config_error(uri)
    assert expected in message
    assert "pw" not in message


async def test_file_store_needs_environment_variable(
    file_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow opens folders only with its variable; a missing folder is not created."""
    assert "no such folder" in await config_error(f"{file_store.uri}-not")
    assert "mlruns-not" not in names_in(tmp_path)
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE")
    assert "MLFLOW_ALLOW_FILE_STORE=true" in await config_error(file_store.uri)


@pytest.mark.parametrize(
    "form", ["postgresql://x:pw@127.0.0.1:{}/d", "http://127.0.0.1:{}", "mysql+pymysql://127.0.0.1:{}/d"]
)
async def test_refused_connection_is_unavailable(form: str) -> None:
    """A refused connection is no error in configuration: the store may start later."""
    port = MlflowTracking(form.format(free_port()), LIMITS.store)
    async with asyncio.timeout(20):
        with pytest.raises(StoreUnavailable):
            await port.open()
        with pytest.raises(StoreUnavailable) as caught:
            await port.count_experiments(EVERYTHING)
    assert "127.0.0.1" not in str(caught.value)
    await port.close()


async def test_unresolved_host_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed DNS lookup is no error in configuration."""

    def no_resolver(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_resolver)
    port = MlflowTracking("http://no-such-host.invalid:5000", LIMITS.store)
    with pytest.raises(StoreUnavailable):
        await port.open()
    await port.close()


async def test_http_settings_of_the_user_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that MLflow reads are set only if the user has not set them."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT")
    await MlflowTracking("http://x", store_limits(store_timeout=2.5)).close()
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "3"
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "3"


def test_kind_follows_from_the_scheme() -> None:
    """The kind of a store is known before it is opened."""
    kinds = {
        "sqlite:///a.db": StoreKind.SQL,
        "postgresql+psycopg2://h/d": StoreKind.SQL,
        "mssql+pyodbc://h/d": StoreKind.SQL,
        "https://h": StoreKind.MLFLOW_SERVER,
        "azureml://h": StoreKind.AZURE_ML,
        "./mlruns": StoreKind.FILE,
        "file:///x": StoreKind.FILE,
        "databricks": StoreKind.OTHER,
        "databricks://profile": StoreKind.OTHER,
        "plugin://x": StoreKind.OTHER,
    }
    assert {uri: kind_of(uri) for uri in kinds} == kinds


def test_redacted_uri_hides_only_the_password() -> None:
    """The rest of the URI is unchanged."""
    assert redacted_uri("postgresql://u:p%40w@h/d") == "postgresql://u:***@h/d"
    assert redacted_uri("http://u:p@w@h:1/d") == "http://u:***@h:1/d"
    assert redacted_uri("http://u:p\nw@h:1/d") == "http://u:***@h:1/d"
    assert redacted_uri("http://h:1/d") == "http://h:1/d"
    assert redacted_uri("postgresql://u:pw@h:x/d") == "postgresql://u:***@h:x/d"
