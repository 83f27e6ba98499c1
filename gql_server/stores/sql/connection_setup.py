"""What a connection needs before it reads."""

from typing import Final

from sqlalchemy import Connection

from gql_server.stores.sql.dialects.dialect import Dialect

_HAS_FUNCTIONS: Final = "gql_functions"
_TIMEOUT: Final = "gql_timeout"
_LOCK_WAIT: Final = "gql_lock_wait"
_LOCK_SHARE: Final = 0.8


def is_set_up(connection: Connection) -> bool:
    """Return whether a connection has been used before."""
    return _HAS_FUNCTIONS in connection.info


def set_up_connection(connection: Connection, dialect: Dialect, timeout: float) -> None:
    """Give a connection its functions and its limits for one use; `timeout` is in seconds."""
    if not is_set_up(connection):
        # Once for each connection: adding a function makes SQLite compile all its statements again.
        dialect.add_functions(connection.connection.dbapi_connection)
        connection.info[_HAS_FUNCTIONS] = True
    if dialect.setup_lasts:
        if connection.info.get(_TIMEOUT) == timeout:
            return
        connection.info[_TIMEOUT] = timeout
    for statement in dialect.setup_statements(timeout):
        execute_directly(connection, statement)


def wait_for_locks(connection: Connection, dialect: Dialect, timeout: float) -> None:
    """Limit the waits for locks of a call that ends after `timeout` seconds; 0 means no wait.

    A lock is reported before the call times out, so that the error says what the reason is. Databases other
    than SQLite take this limit with the others.
    """
    seconds = timeout * _LOCK_SHARE
    statement = dialect.lock_wait_statement(seconds)
    if statement is not None and connection.info.get(_LOCK_WAIT) != seconds:
        execute_directly(connection, statement)
        connection.info[_LOCK_WAIT] = seconds


def execute_directly(connection: Connection, statement: str) -> None:
    """Execute a statement without parameters and rows by the driver's own cursor."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement)
    finally:
        cursor.close()
