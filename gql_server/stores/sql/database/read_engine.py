"""The engine for reading a database: its connections cannot write, where the driver has a way to say so."""

import os
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.pool import QueuePool

from gql_server.stores.database_errors import missing_driver
from gql_server.stores.database_url import read_only_url
from gql_server.stores.sql.dialects.selection import dialect_of
from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import redacted_uri

_SPARE_CONNECTIONS: Final = 2
"""Connections beside those of the worker threads: for an interrupt, and for the inspection of the schema."""
_MYSQL_SSL: Final = {
    "ssl_ca": "MLFLOW_MYSQL_SSL_CA",
    "ssl_cert": "MLFLOW_MYSQL_SSL_CERT",
    "ssl_key": "MLFLOW_MYSQL_SSL_KEY",
}
"""Arguments of MySQL's drivers, and MLflow's variables for them."""


def create_read_engine(uri: str, threads: int, timeout: float) -> Engine:
    """Return an engine for `threads` worker threads; it opens no connection.

    No statement waits longer than `timeout` seconds for a lock.

    Raises `StoreConfigError` for an invalid URI, a SQLite file that does not exist, and a missing driver.
    """
    url = read_only_url(uri)
    try:
        if url.get_dialect().is_async:
            message = (
                f"{redacted_uri(uri)}: {url.drivername} is asynchronous; use {url.get_backend_name()}://."
            )
            raise StoreConfigError(message)
        engine = create_engine(
            url,
            poolclass=QueuePool,
            # Short reads from SQLite, on the event loop, have as many again.
            pool_size=2 * threads if url.get_backend_name() == "sqlite" else threads,
            max_overflow=_SPARE_CONNECTIONS,
            # The connection used last has its statements and pages in memory.
            pool_use_lifo=True,
            # SQLite loses no connection. On PostgreSQL a read whose first statement fails is repeated.
            pool_pre_ping=url.get_backend_name() not in {"sqlite", "postgresql"},
            # Parameters contain what a client requested, and errors that include them may be logged.
            hide_parameters=True,
            connect_args=_connect_args(url.get_backend_name()),
        )
    except (ImportError, NoSuchModuleError) as error:
        raise missing_driver(uri, url, error) from error
    dialect = dialect_of(engine)

    @event.listens_for(engine, "connect")
    def _make_read_only(driver_connection: Any, _record: Any) -> None:
        dialect.make_read_only(driver_connection, timeout)

    return engine


def _connect_args(backend: str) -> dict[str, str]:
    if backend != "mysql":
        return {}
    return {name: os.environ[variable] for name, variable in _MYSQL_SSL.items() if os.environ.get(variable)}
