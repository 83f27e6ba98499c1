"""The databases of the benchmarks, which are created once and reused by later runs."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from benchmarks.dataset import Sizes, fill
from benchmarks.limit import Limit, Reader
from benchmarks.postgres_reader import PostgresReader
from benchmarks.sqlite_reader import SqliteReader

INDEX = "gql_runs_newest"
_COLUMNS = "experiment_id, lifecycle_stage, start_time DESC{}, run_uuid"


@dataclass(frozen=True, slots=True)
class Database:
    """One database with the data set."""

    kind: str
    url: URL
    sizes: Sizes

    @property
    def uri(self) -> str:
        """The tracking URI of its MLflow store."""
        return self.url.render_as_string(hide_password=False)

    @property
    def index(self) -> str:
        """The SQL of an index that finds the newest runs of an experiment without a sort."""
        # Both put runs without a start last: in SQLite NULL is the smallest value.
        nulls = " NULLS LAST" if self.kind == "Postgres" else ""
        return f"CREATE INDEX {INDEX} ON runs ({_COLUMNS.format(nulls)})"

    def build(self) -> None:
        """Insert the missing data, and drop the index that an interrupted benchmark left."""
        inserted = fill(self.uri, self.sizes)
        self.execute(f"DROP INDEX IF EXISTS {INDEX}")
        if inserted and self.kind == "Postgres":
            # Autovacuum would have done this if the rows had been inserted over days.
            self.execute("VACUUM ANALYZE")

    @contextmanager
    def limit(self, *, indexed: bool = False) -> Iterator[Limit]:
        """Open the database for the statements of the limit."""
        with closing(self._reader()) as reader:
            yield Limit(reader, indexed=indexed)

    @contextmanager
    def with_index(self) -> Iterator[None]:
        """Create the index, and drop it after the block."""
        self.execute(self.index)
        try:
            yield
        finally:
            self.execute(f"DROP INDEX {INDEX}")

    def execute(self, statement: str) -> None:
        """Run one statement as the owner of the database."""
        if self.kind == "Postgres":
            with psycopg.connect(_libpq(self.url), autocommit=True) as connection:
                connection.execute(statement.encode())
            return
        with closing(sqlite3.connect(str(self.url.database))) as file:
            file.execute(statement)

    def _reader(self) -> Reader:
        if self.kind == "Postgres":
            return PostgresReader(_libpq(self.url))
        return SqliteReader(str(self.url.database))


def sqlite_database(directory: Path, name: str, sizes: Sizes) -> Database:
    """Return a database in a file of the directory, which `build` creates."""
    return Database("SQLite", make_url(f"sqlite:///{directory.resolve() / name}.db"), sizes)


def postgres_database(server: str, name: str, sizes: Sizes) -> Database:
    """Return a database on the server; create it empty if it does not exist."""
    maintenance = make_url(server)
    name = f"gql_benchmarks_{name}"
    with psycopg.connect(_libpq(maintenance), autocommit=True) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not exists:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return Database("Postgres", maintenance.set(drivername="postgresql", database=name), sizes)


def _libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
