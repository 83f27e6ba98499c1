"""Databases of the tests' own on servers that are there anyway: made under a random name, and dropped."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

POSTGRES = make_url(os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres"))
MYSQL = make_url(os.environ.get("TEST_MYSQL_URL", "mysql+pymysql://root@127.0.0.1:3306/mysql"))


@contextmanager
def database(server: URL, template: str | None = None) -> Iterator[URL]:
    """Make a database, from a template where one is named, and drop it afterwards."""
    name = f"gql_test_{secrets.token_hex(6)}"
    copied = f" TEMPLATE {template}" if template else ""
    forced = " WITH (FORCE)" if server.get_backend_name() == "postgresql" else ""
    _execute(server, f"CREATE DATABASE {name}{copied}")
    try:
        yield server.set(database=name)
    finally:
        _execute(server, f"DROP DATABASE {name}{forced}")


def uri_of(url: URL) -> str:
    """Return a database's tracking URI, password and all."""
    return url.render_as_string(hide_password=False)


def skip_without(server: URL) -> None:
    """Skip the test where the database server is not there; in CI, where it must be, fail."""
    try:
        _execute(server, "SELECT 1")
    except (SQLAlchemyError, ImportError) as error:
        absent(f"{server.get_backend_name()} server at {server.host}:{server.port}", error)


def absent(what: str, error: Exception) -> None:
    """Skip for want of a service, or fail where CI says that it must be there."""
    reason = f"no {what}: {type(error).__name__}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _execute(server: URL, statement: str) -> None:
    engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT", connect_args=_quick(server))
    try:
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(statement))
    finally:
        engine.dispose()


def _quick(server: URL) -> dict[str, int]:
    return {"connect_timeout": 5} if server.get_backend_name() in {"postgresql", "mysql"} else {}
