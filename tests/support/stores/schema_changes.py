"""Changes of a database's schema. Those of a database that tests share are undone."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine, text


def execute_on_file(path: Path, *statements: str) -> None:
    """Run statements on a SQLite file, as another program does."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            connection.execute(statement)


@contextmanager
def renamed_table(engine: Engine, *tables: str) -> Iterator[None]:
    """Give tables other names during a block, as if the database did not have them."""
    _execute(engine, *(f"ALTER TABLE {table} RENAME TO gql_{table}" for table in tables))
    try:
        yield
    finally:
        _execute(engine, *(f"ALTER TABLE gql_{table} RENAME TO {table}" for table in tables))


@contextmanager
def revision(engine: Engine, name: str) -> Iterator[None]:
    """Set the revision of a database's schema during a block."""
    with engine.connect() as connection:
        before = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    _set_revision(engine, name)
    try:
        yield
    finally:
        _set_revision(engine, before)


def _set_revision(engine: Engine, name: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :name"), {"name": name})


def _execute(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
