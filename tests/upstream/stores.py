"""Stores that another version of MLflow filled or upgraded."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers.mlflow_server import MlflowServer
from tests.support.servers.running_mlflow import running
from tests.support.stores.databases import (
    MYSQL,
    POSTGRES,
    require_database_server,
    temporary_database,
    tracking_uri,
)
from tests.support.stores.store import sqlite_uri
from tests.upstream.dump import load
from tests.upstream.environments import full_python
from tests.upstream.questions.answers import Answers
from tests.upstream.version_client import ask_client, fill_store, upgrade_database
from tests.upstream.versions import VERSIONS

_SERVERS = {"postgres": POSTGRES, "mysql": MYSQL}


@contextmanager
def filled_store(version: str, kind: str, folder: Path, artifacts: Path) -> Iterator[tuple[str, Answers]]:
    """Yield the tracking URI of a store, and what the version's client answers about it.

    A SQLite file is the only file in the folder. Files of artifacts are in `artifacts`, beside which the
    version's programs may leave others.
    """
    with _empty_database(kind, folder) as uri:
        if kind == "upgraded":
            load(VERSIONS[0].number, folder / "mlflow.db")
            upgrade_database(version, uri, artifacts.parent)
        else:
            fill_store(version, uri, str(artifacts), artifacts.parent)
        answers = ask_client(version, uri, artifacts.parent)
        if kind == "server":
            with _server(version, uri, artifacts.parent) as server_uri:
                yield server_uri, answers
        else:
            yield uri, answers


def contents(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@contextmanager
def _empty_database(kind: str, folder: Path) -> Iterator[str]:
    server = _SERVERS.get(kind)
    if server is None:
        yield sqlite_uri(folder / "mlflow.db")
    else:
        require_database_server(server)
        with temporary_database(server) as url:
            yield tracking_uri(url)


@contextmanager
def _server(version: str, database_uri: str, folder: Path) -> Iterator[str]:
    # Old versions start gunicorn by its name.
    path = os.pathsep.join([str(full_python(version).parent), os.environ.get("PATH", os.defpath)])
    with running(MlflowServer(database_uri, folder, version=version, environment={"PATH": path})) as server:
        yield server.uri
