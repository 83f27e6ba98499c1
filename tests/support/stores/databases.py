"""Temporary databases with random names, on running Postgres and MySQL servers."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from tests.support.requirements import skip_or_fail

POSTGRES = make_url(os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres"))
MYSQL = make_url(os.environ.get("TEST_MYSQL_URL", "mysql+pymysql://root@127.0.0.1:3306/mysql"))


@contextmanager
def temporary_database(server: URL, template: str | None = None) -> Iterator[URL]:
    """Create a database, from a template if one is given, and drop it afterwards."""
    name = f"gql_test_{secrets.token_hex(6)}"
    copied = f" TEMPLATE {template}" if template else ""
    forced = " WITH (FORCE)" if server.get_backend_name() == "postgresql" else ""
    _execute(server, f"CREATE DATABASE {name}{copied}")
    try:
        yield server.set(database=name)
    finally:
        _execute(server, f"DROP DATABASE {name}{forced}")


def tracking_uri(url: URL) -> str:
    """Return the tracking URI of a database, with its password."""
    return url.render_as_string(hide_password=False)


def require_database_server(server: URL) -> None:
    """Skip the test if the database server does not respond; fail it in CI."""
    try:
        _execute(server, "SELECT 1")
    except (SQLAlchemyError, ImportError) as error:
        skip_or_fail(f"{server.get_backend_name()} server at {server.host}:{server.port}", error)


def _execute(server: URL, statement: str) -> None:
    engine = sqlalchemy.create_engine(
        server, isolation_level="AUTOCOMMIT", connect_args=_connect_args(server)
    )
    try:
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(statement))
    finally:
        engine.dispose()


def _connect_args(server: URL) -> dict[str, int]:
    return {"connect_timeout": 5} if server.get_backend_name() in {"postgresql", "mysql"} else {}
