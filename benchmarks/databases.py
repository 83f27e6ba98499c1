"""The databases that the benchmarks read: made once, kept, and opened by the limit's readers."""

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
    """One database with the data set in it."""

    kind: str
    url: URL
    sizes: Sizes

    @property
    def uri(self) -> str:
        """The tracking URI of an MLflow store in it."""
        return self.url.render_as_string(hide_password=False)

    @property
    def index(self) -> str:
        """The SQL of the one index that lets the newest runs of an experiment be found at once."""
        # Both end with the runs that have no start: SQLite because NULL is its least value.
        nulls = " NULLS LAST" if self.kind == "Postgres" else ""
        return f"CREATE INDEX {INDEX} ON runs ({_COLUMNS.format(nulls)})"

    def build(self) -> None:
        """Fill the database with what is missing from it, and take away the index of a run cut short."""
        fill(self.uri, self.sizes)
        self.execute(f"DROP INDEX IF EXISTS {INDEX}")
        if self.kind == "Postgres":
            # As autovacuum would have, had the rows come over days.
            self.execute("VACUUM ANALYZE")

    @contextmanager
    def limit(self, *, indexed: bool = False) -> Iterator[Limit]:
        """Open the database for the limit's bare reads."""
        with closing(self._reader()) as reader:
            yield Limit(reader, indexed=indexed)

    @contextmanager
    def with_index(self) -> Iterator[None]:
        """Have the index while the block runs."""
        self.execute(self.index)
        try:
            yield
        finally:
            self.execute(f"DROP INDEX {INDEX}")

    def execute(self, statement: str) -> None:
        """Run one statement as the database's owner would."""
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
    """Name a file in the directory; `build` makes it."""
    return Database("SQLite", make_url(f"sqlite:///{directory.resolve() / name}.db"), sizes)


def postgres_database(server: str, name: str, sizes: Sizes) -> Database:
    """Name a database on the server, and create it empty if it is not there."""
    maintenance = make_url(server)
    name = f"gql_benchmarks_{name}"
    with psycopg.connect(_libpq(maintenance), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not found:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return Database("Postgres", maintenance.set(drivername="postgresql", database=name), sizes)


def _libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
