"""Changes of a database's schema. Those of a database that tests share are undone."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

from tests.support.stores.store import copy_template


def execute_on_file(path: Path, *statements: str) -> None:
    """Run statements on a SQLite file, as another program does."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            connection.execute(statement)


def interrupt_write(template: Path, path: Path) -> None:
    """Make a copy of a SQLite file as a program leaves it that is killed while it writes."""
    live = path.with_name(f"live-{path.name}")
    copy_template(template, live)
    with closing(sqlite3.connect(live, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE experiments SET name = hex(randomblob(100))")
        writer.execute("CREATE TABLE filler AS SELECT hex(randomblob(5000)) FROM sqlite_master")
        path.write_bytes(live.read_bytes())
        path.with_name(f"{path.name}-journal").write_bytes(
            live.with_name(f"{live.name}-journal").read_bytes()
        )
        writer.execute("ROLLBACK")
    live.unlink()


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
