"""MLflow servers that run for the duration of a block."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL

from tests.support.servers.mlflow_server import MlflowServer
from tests.support.stores.databases import (
    temporary_database,
    tracking_uri,
)
from tests.support.stores.store import (
    copy_template,
    dispose_engine,
    migrate,
)


@contextmanager
def database_server(url: URL, folder: Path) -> Iterator[MlflowServer]:
    """Run an MLflow server over a new database of a database server."""
    with temporary_database(url) as database:
        migrate(tracking_uri(database))
        with running(MlflowServer(tracking_uri(database), folder)) as server:
            yield server
        dispose_engine(tracking_uri(database))


@contextmanager
def sqlite_server(template: Path, folder: Path) -> Iterator[MlflowServer]:
    """Run an MLflow server over a copy of a SQLite database."""
    with running(MlflowServer(copy_template(template, folder / "mlflow.db"), folder)) as server:
        yield server


@contextmanager
def running(server: MlflowServer) -> Iterator[MlflowServer]:
    """Start a server, and kill it after the block."""
    server.start()
    try:
        yield server
    finally:
        server.kill()
