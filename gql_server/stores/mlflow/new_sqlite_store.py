"""Creation of MLflow's default store: a SQLite file with MLflow's tables and its Default experiment."""

from contextlib import suppress

from mlflow.store.db.utils import (
    _initialize_tables,
    _make_parent_dirs_if_sqlite,
    create_sqlalchemy_engine,
)

from gql_server.stores.database_url import parse_database_url
from gql_server.stores.mlflow.mlflow_sql_store import create_default_experiment
from gql_server.stores.mlflow.schema_check import silence_database_logs
from gql_server.stores.uri import sqlite_file


def create_sqlite_store(uri: str) -> None:
    """Create a SQLite store that does not exist yet, with its folder; do nothing if the file exists."""
    path = sqlite_file(parse_database_url(uri))
    if path is None or path.exists():
        return
    silence_database_logs()
    _make_parent_dirs_if_sqlite(uri)
    engine = create_sqlalchemy_engine(uri)
    try:
        _initialize_tables(engine)
        create_default_experiment(uri)
    except BaseException:
        # The next start would refuse an incomplete database.
        with suppress(OSError):
            path.unlink()
        raise
    finally:
        engine.dispose()
