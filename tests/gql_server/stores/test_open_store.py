"""Opening a tracking URI: nothing is made or migrated, and what stands in the way is said in one line."""

import asyncio
import hashlib
import os
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
from tests.support.servers import free_port
from tests.support.stores import Store, copy_of, sqlite_uri

EVERYTHING = Search(view=LifecycleView.ALL)


async def refusal(uri: str) -> str:
    """Return why a URI cannot be opened for good."""
    port = MlflowTracking(uri, LIMITS.store)
    try:
        with pytest.raises(StoreConfigError) as caught:
            await port.open()
    finally:
        await port.close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def digest(path: Path) -> str:
    """Return what tells a file's content from any other."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def execute(path: Path, *statements: str) -> None:
    """Change a SQLite file by hand."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def downgrade(path: Path, revision: str) -> None:
    """Take a SQLite file back to an older revision of MLflow's."""
    engine = sqlalchemy.create_engine(sqlite_uri(path))
    config = _get_alembic_config(sqlite_uri(path))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, revision)
    finally:
        engine.dispose()


def names_in(folder: Path) -> list[str]:
    """Return the names of what is in a folder."""
    return [found.name for found in folder.iterdir()]


async def test_every_store_opens(store: Store) -> None:
    """Each kind of store opens, answers, and can be closed."""
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
async def test_a_database_behind_is_refused(sqlite_template: Path, tmp_path: Path, steps: int) -> None:
    """An older database stays as it is to the byte, and the message names the command that upgrades it."""
    path = tmp_path / "old.db"
    uri = copy_of(sqlite_template, path)
    downgrade(path, f"-{steps}")
    before = digest(path)
    assert f"mlflow db upgrade {uri}" in await refusal(uri)
    assert digest(path) == before
    assert names_in(tmp_path) == ["old.db"]


async def test_a_database_ahead_is_refused(sqlite_template: Path, tmp_path: Path) -> None:
    """A database of a later MLflow needs a later server, not a migration."""
    path = tmp_path / "new.db"
    uri = copy_of(sqlite_template, path)
    execute(path, "UPDATE alembic_version SET version_num = 'ffffffffffff'")
    assert "upgrade MLflow here" in await refusal(uri)


async def test_missing_tables_are_named(sqlite_template: Path, tmp_path: Path) -> None:
    """A table that is gone is not made anew, as MLflow would."""
    path = tmp_path / "less.db"
    uri = copy_of(sqlite_template, path)
    execute(path, "DROP TABLE webhook_events")
    before = digest(path)
    assert "webhook_events" in await refusal(uri)
    assert digest(path) == before


async def test_an_empty_database_is_refused(tmp_path: Path) -> None:
    """A database without tables gets none."""
    path = tmp_path / "empty.db"
    path.touch()
    assert f"mlflow db upgrade {sqlite_uri(path)}" in await refusal(sqlite_uri(path))
    assert path.stat().st_size == 0


async def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    """Tables that are not MLflow's are no reason to add some."""
    path = tmp_path / "other.db"
    execute(path, "CREATE TABLE runs (id INTEGER)")
    assert "no MLflow schema revision" in await refusal(sqlite_uri(path))


@pytest.mark.parametrize(
    "form", ["sqlite:///{}", "sqlite:///file:{}?uri=true", "sqlite:///file:{}?mode=ro&uri=true"]
)
async def test_a_missing_file_stays_missing(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the file nor a folder is made by looking."""
    monkeypatch.chdir(tmp_path)
    assert "no such file" in await refusal(form.format(tmp_path / "no" / "such.db"))
    assert names_in(tmp_path) == []


async def test_a_file_with_an_odd_name_opens(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name may hold what means something in a URI, and SQLite's own form of URI opens without a trace."""
    monkeypatch.chdir(tmp_path)
    odd = tmp_path / "a b#c%20d.db"
    copy_of(sqlite_template, odd)
    named = URL.create("sqlite", database=str(odd)).render_as_string()
    for uri in (named, f"sqlite:///file:{sqlite_template}?mode=ro&uri=true"):
        port = MlflowTracking(uri, LIMITS.store)
        await port.open()
        assert await port.count_experiments(EVERYTHING) == 0
        await port.close()
    assert names_in(tmp_path) == [odd.name]


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """A file of something else is told apart from a database that is only locked."""
    path = tmp_path / "text.db"
    path.write_text("something else, and rather more of it than a header\n" * 99)
    assert "not a database" in await refusal(sqlite_uri(path))


async def test_what_may_be_created_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The one exception: a local store that is not there is made where asked for, and quietly."""
    uri = sqlite_uri(tmp_path / "new" / "mlflow.db")
    port = MlflowTracking(uri, LIMITS.store, create=True)
    await port.open()
    found = await port.experiments_by_id(["0"], {"name"})
    assert found.rows["name"] == ["Default"]
    await port.close()
    assert capfd.readouterr().err == ""
    again = MlflowTracking(uri, LIMITS.store)
    await again.open()
    await again.close()


async def test_a_password_is_never_shown(postgres_store: Store) -> None:
    """A wrong password is for good, and the message keeps it to itself."""
    # Who may log in without a password needs none; a name that is not there is refused all the same.
    url = make_url(postgres_store.uri).set(username="nobody_at_all", password="s3cret")
    said = await refusal(url.render_as_string(hide_password=False))
    assert "s3cret" not in said
    assert "nobody_at_all:***@" in said


async def test_a_wrong_mysql_password_is_for_good(mysql_store: Store) -> None:
    """MySQL's refusal is known too."""
    url = make_url(mysql_store.uri).set(username="nobody_at_all", password="s3cret")
    said = await refusal(url.render_as_string(hide_password=False))
    assert "Access denied" in said
    assert "s3cret" not in said


async def test_a_database_that_is_not_there_is_for_good(postgres_store: Store) -> None:
    """A database's name that the server does not know will not come up by waiting."""
    url = make_url(postgres_store.uri).set(database="gql_no_such")
    assert "does not exist" in await refusal(url.render_as_string(hide_password=False))


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("mysql://h/d", "pip install 'mlflow-gql-server[mysql]'; write the URI as mysql+pymysql://"),
        ("mssql://u:pw@h/d", "pip install pyodbc"),
        ("postgresql+asyncpg://h/d", "asyncpg"),
        ("postgresql+nonsense://h/d", "nonsense"),
        ("nonsense://u:pw@h", "supports the scheme 'nonsense'"),
        ("postgresql://h:port/d", "SQLAlchemy can read"),
        ("uc", "Unity Catalog"),
    ],
)
async def test_what_is_not_installed_is_named(uri: str, said: str) -> None:
    """A missing driver or plugin is named, with the line that installs it."""
    refused = await refusal(uri)
    assert said in refused
    assert "pw" not in refused


async def test_a_file_store_needs_leave(
    file_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow opens folders only when told to; a folder that is not there stays so."""
    assert "no such folder" in await refusal(f"{file_store.uri}-not")
    assert "mlruns-not" not in names_in(tmp_path)
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE")
    assert "MLFLOW_ALLOW_FILE_STORE=true" in await refusal(file_store.uri)


@pytest.mark.parametrize(
    "form", ["postgresql://x:pw@127.0.0.1:{}/d", "http://127.0.0.1:{}", "mysql+pymysql://127.0.0.1:{}/d"]
)
async def test_nobody_listening_may_pass(form: str) -> None:
    """A refused connection is told from a wrong URI, at once: the store may come up."""
    port = MlflowTracking(form.format(free_port()), LIMITS.store)
    async with asyncio.timeout(20):
        with pytest.raises(StoreUnavailable):
            await port.open()
        with pytest.raises(StoreUnavailable) as caught:
            await port.count_experiments(EVERYTHING)
    assert "127.0.0.1" not in str(caught.value)
    await port.close()


async def test_a_name_that_does_not_resolve_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS may come up as well."""

    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    port = MlflowTracking("http://no-such-host.invalid:5000", LIMITS.store)
    with pytest.raises(StoreUnavailable):
        await port.open()
    await port.close()


async def test_the_users_own_retries_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """What MLflow reads from the environment is set only where the user has not set it."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT")
    await MlflowTracking("http://x", store_limits(store_timeout=2.5)).close()
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "3"
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "3"


def test_the_kind_is_the_schemes() -> None:
    """The family of a store is known before it is opened."""
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


def test_only_the_password_is_hidden() -> None:
    """The rest of the URI is what the user typed."""
    assert redacted_uri("postgresql://u:p%40w@h/d") == "postgresql://u:***@h/d"
    assert redacted_uri("http://u:p@w@h:1/d") == "http://u:***@h:1/d"
    assert redacted_uri("http://h:1/d") == "http://h:1/d"
    assert redacted_uri("postgresql://u:pw@h:x/d") == "postgresql://u:***@h:x/d"
