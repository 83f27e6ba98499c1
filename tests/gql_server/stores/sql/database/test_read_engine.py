"""Connections for reading cannot change a database."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gql_server.stores.sql.database.read_engine import create_read_engine
from tests.support.stores.store import Store, copy_template


@pytest.fixture
def uri(request: pytest.FixtureRequest) -> str:
    """Give the URI of a database with a driver."""
    name, _, driver = request.param.partition("+")
    store: Store = request.getfixturevalue(f"{name}_store")
    scheme, _, rest = store.uri.partition("://")
    return f"{scheme.partition('+')[0]}+{driver}://{rest}" if driver else store.uri


@pytest.mark.parametrize(
    "uri", ["sqlite", "postgres+psycopg2", "postgres+psycopg", "mysql+pymysql"], indirect=True
)
def test_writes_are_refused(uri: str) -> None:
    """The database refuses to change a row or a table."""
    engine = create_read_engine(uri, 1, 5.0)
    for statement in ("UPDATE experiments SET name = 'x'", "CREATE TABLE gql_new (id INTEGER)"):
        for _ in range(2):  # A connection that is used again is read-only, too.
            with engine.connect() as connection, pytest.raises(DBAPIError, match=r"(?i)read.?only"):
                connection.execute(text(statement))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM experiments")).scalars().all() == ["Default"]
    engine.dispose()


@pytest.mark.parametrize(
    "form", ["sqlite:///{}", "sqlite:///file:{}?uri=true", "sqlite:///file:{}?mode=rwc&uri=true"]
)
def test_each_form_of_sqlite_uri_is_read_only(sqlite_template: Path, tmp_path: Path, form: str) -> None:
    """A mode in the URI that allows writes does not apply."""
    copy_template(sqlite_template, tmp_path / "a.db")
    engine = create_read_engine(form.format(tmp_path / "a.db"), 1, 5.0)
    with engine.connect() as connection, pytest.raises(DBAPIError, match="readonly"):
        connection.execute(text("DELETE FROM experiments"))
    engine.dispose()


def test_mysql_waits_no_longer_for_locks_than_the_timeout(mysql_store: Store) -> None:
    """By default MariaDB waits a day for a table that a migration has locked."""
    engine = create_read_engine(mysql_store.uri, 1, 2.5)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT @@lock_wait_timeout")).scalar() == 2
    engine.dispose()


def test_mysql_gets_the_certificates_of_mlflows_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that requires TLS is configured for MLflow and this server alike."""
    monkeypatch.setenv("MLFLOW_MYSQL_SSL_CA", "/no/such/ca.pem")
    engine = create_read_engine("mysql+pymysql://root@127.0.0.1:3306/mysql", 1, 5.0)
    with pytest.raises(FileNotFoundError, match="No such file"):
        engine.connect()
    engine.dispose()
