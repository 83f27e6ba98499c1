"""The options of asyncpg from a tracking URI."""

import pytest

from gql_server.stores.database_url import connection_url
from gql_server.stores.sql.event_loop.asyncpg_options import asyncpg_options


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://user:p%40ss@host:5433/name",
        "postgresql+psycopg2://user:p%40ss@host:5433/name",
        "postgresql+psycopg://user:p%40ss@host:5433/name",
    ],
)
def test_driver_of_mlflow_makes_no_difference(uri: str) -> None:
    """The URI's driver is left out, and the rest is passed on."""
    options = asyncpg_options(connection_url(uri), 30)
    assert options is not None
    assert options["dsn"] == "postgresql://user:p%40ss@host:5433/name"
    assert options["server_settings"]["statement_timeout"] == "30000"
    assert options["server_settings"]["default_transaction_read_only"] == "on"


def test_options_of_libpq_are_passed_on() -> None:
    """The options that asyncpg reads stay in the URL; the timeout is an argument."""
    uri = "postgresql:///name?host=/run/postgresql&sslmode=verify-full&sslrootcert=ca.pem&connect_timeout=3"
    options = asyncpg_options(connection_url(uri), 30)
    assert options is not None
    assert options["timeout"] == 3
    assert "sslmode=verify-full" in options["dsn"]
    assert "connect_timeout" not in options["dsn"]


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://host/name?options=-csearch_path%3Dmlflow",
        "postgresql://host/name?gssencmode=disable",
        "mysql+pymysql://host/name",
        "sqlite://",
    ],
)
def test_unknown_options_are_left_to_the_driver_in_threads(uri: str) -> None:
    """A URI with something that asyncpg would not heed is not read by it."""
    assert asyncpg_options(connection_url(uri), 30) is None
