"""Real tracking stores for tests, and fast creation of empty ones.

MLflow's migrations take seconds. Each kind of database is therefore migrated once per session, into a
template, and each test gets a copy.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy
from mlflow import MlflowClient
from mlflow.store.db.base_sql_model import Base
from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from schema.ports.store_kind import StoreKind

_MIGRATION_TABLES = ("workspaces",)
"""The tables with rows that MLflow's migrations insert."""


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """A tracking store with MLflow's Default experiment (id 0) only.

    `client` is MLflow's client of the store. Tests write with it and compare results with it.
    """

    name: str
    uri: str
    client: MlflowClient
    kind: StoreKind


@contextmanager
def open_test_store(
    name: str, uri: str, kind: StoreKind = StoreKind.SQL, client_uri: str | None = None
) -> Iterator[Store]:
    """Yield the store at a tracking URI, and close its connections afterwards.

    `client_uri` is the URI for MLflow's client, if it differs.
    """
    client = MlflowClient(client_uri or uri)
    # MLflow creates the Default experiment when it opens a store.
    assert client.get_experiment("0").name == "Default"
    try:
        yield Store(name, uri, client, kind)
    finally:
        dispose_engine(uri)


def dispose_engine(uri: str) -> None:
    """Close the pool of connections that MLflow otherwise leaves open until the process exits."""
    engine = SqlAlchemyStore._engine_map.pop(uri, None)  # noqa: SLF001 - there is no public function
    if engine is not None:
        engine.dispose()


def migrate(uri: str) -> None:
    """Create MLflow's tables in an empty database."""
    engine = create_sqlalchemy_engine(uri)
    try:
        _initialize_tables(engine)
    finally:
        engine.dispose()


def empty_database(uri: str) -> None:
    """Delete all rows, and create the Default experiment again; a server may be using the database."""
    engine = create_sqlalchemy_engine(uri)
    try:
        with engine.begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                if table.name not in _MIGRATION_TABLES:
                    connection.execute(sqlalchemy.delete(table))
    finally:
        engine.dispose()
    _create_default_experiment(uri)


def sqlite_uri(path: Path) -> str:
    """Return the tracking URI of a SQLite file."""
    return f"sqlite:///{path}"


def copy_template(template: Path, path: Path) -> str:
    """Copy a SQLite file, and return the tracking URI of the copy."""
    shutil.copyfile(template, path)
    return sqlite_uri(path)


def _create_default_experiment(uri: str) -> None:
    SqlAlchemyStore(uri, "mlruns")
    dispose_engine(uri)
