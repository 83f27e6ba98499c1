"""Real tracking stores for tests, and how an empty one of each kind is created cheaply.

MLflow's migrations take seconds, so each kind of database is migrated once a session, into a template;
a test gets a copy.
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

_KEPT = ("workspaces",)
"""The tables whose rows MLflow's migrations write."""


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """A tracking store with MLflow's Default experiment (id 0) and nothing else.

    `client` is MLflow's own view of it, for writing and for comparing.
    """

    name: str
    uri: str
    client: MlflowClient
    kind: StoreKind


@contextmanager
def opened(
    name: str, uri: str, kind: StoreKind = StoreKind.SQL, written_by: str | None = None
) -> Iterator[Store]:
    """Give a store over a tracking URI, and close its connections afterwards.

    `written_by` is the URI that MLflow's own client takes, if it is another.
    """
    client = MlflowClient(written_by or uri)
    # Opening the store creates the Default experiment.
    assert client.get_experiment("0").name == "Default"
    try:
        yield Store(name, uri, client, kind)
    finally:
        dispose_engine(uri)


def dispose_engine(uri: str) -> None:
    """Close the connections that MLflow pools for a database for the lifetime of the process."""
    engine = SqlAlchemyStore._engine_map.pop(uri, None)  # noqa: SLF001 - there is no public method
    if engine is not None:
        engine.dispose()


def migrate(uri: str) -> None:
    """Create all of MLflow's tables in an empty database, and no rows."""
    engine = create_sqlalchemy_engine(uri)
    try:
        _initialize_tables(engine)
    finally:
        engine.dispose()


def wipe(uri: str) -> None:
    """Empty a database that is being served, as if MLflow had just created it."""
    engine = create_sqlalchemy_engine(uri)
    try:
        with engine.begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                if table.name not in _KEPT:
                    connection.execute(sqlalchemy.delete(table))
    finally:
        engine.dispose()
    _remake_default_experiment(uri)


def sqlite_uri(path: Path) -> str:
    """Return the tracking URI of a SQLite file."""
    return f"sqlite:///{path}"


def copy_template(template: Path, path: Path) -> str:
    """Copy a SQLite file, and return the tracking URI of the copy."""
    shutil.copyfile(template, path)
    return sqlite_uri(path)


def _remake_default_experiment(uri: str) -> None:
    SqlAlchemyStore(uri, "mlruns")
    dispose_engine(uri)
