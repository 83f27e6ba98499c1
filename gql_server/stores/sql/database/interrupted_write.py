"""The undoing of a write to a SQLite file whose process was killed."""

from contextlib import closing, suppress

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from gql_server.stores.database_url import connection_url, parse_database_url
from gql_server.stores.uri import sqlite_file


def roll_back_interrupted_write(uri: str) -> None:
    """Let SQLite undo the last write to a database's file if its process was killed.

    SQLite does so when a connection that may write reads the file; connections that may not are refused. A
    write that is in progress is not disturbed.
    """
    path = sqlite_file(parse_database_url(uri))
    if path is None or not path.with_name(f"{path.name}-journal").exists():
        return
    engine = create_engine(connection_url(uri), poolclass=NullPool)
    # Whatever fails here fails again when the database is opened, which reports it.
    with suppress(DBAPIError), closing(engine.connect()) as connection:
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
    engine.dispose()
