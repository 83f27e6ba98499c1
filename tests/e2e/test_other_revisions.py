"""The command over databases whose schema is not that of the installed MLflow."""

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.support.servers.server_process import run_command, running_server
from tests.support.stores.schema_changes import execute_on_file, interrupt_write
from tests.support.stores.store import copy_template, sqlite_uri
from tests.support.waiting import wait_until

_REVISION = "0123456789ab"


@pytest.fixture
def path(sqlite_template: Path, tmp_path: Path) -> Path:
    """Give the file of a store of an unknown revision, alone in a folder."""
    path = tmp_path / "store" / "other.db"
    path.parent.mkdir()
    copy_template(sqlite_template, path)
    execute_on_file(path, f"UPDATE alembic_version SET version_num = '{_REVISION}'")  # noqa: S608 - a constant
    return path


def test_other_revision_is_read_and_reported(path: Path) -> None:
    """The store is served, the revision and the features are reported, and nothing is changed or created."""
    before = path.read_bytes()
    with running_server("--tracking-uri", sqlite_uri(path)) as server:
        ready = server.get("/readyz").json()
        assert (ready["status"], ready["database_revision"]) == ("ready", _REVISION)
        assert "DATASETS" in ready["features"]
        query = "{ server { databaseRevision features } runs { totalCount } }"
        data = server.query(query).json()["data"]
        assert data["runs"] == {"totalCount": 0}
        assert data["server"]["databaseRevision"] == _REVISION
        assert {"LOGGED_MODELS", "REGISTRY", "ARTIFACTS"} <= set(data["server"]["features"])
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_changes_need_the_revision_of_the_installed_mlflow(path: Path) -> None:
    """With --writable the server does not start; the error names both revisions and both ways out."""
    before = path.read_bytes()
    result = run_command("serve", "--tracking-uri", sqlite_uri(path), "--writable", "--port", "0")
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert f"the database has {_REVISION}" in result.stderr
    assert "Install the MLflow version of the database" in result.stderr
    assert "`mlflow server`" in result.stderr
    assert path.read_bytes() == before


def test_interrupted_migration_is_one_line(path: Path) -> None:
    """A database with two revisions is not served."""
    execute_on_file(path, "INSERT INTO alembic_version VALUES ('ffffffffffff')")
    before = path.read_bytes()
    result = run_command("serve", "--tracking-uri", sqlite_uri(path), "--port", "0")
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert f"2 schema revisions at once ({_REVISION}, ffffffffffff)" in result.stderr
    assert path.read_bytes() == before


def test_server_becomes_ready_after_a_migration(path: Path) -> None:
    """While a migration holds the lock, the server is alive and not ready, and reports the reason."""
    with closing(sqlite3.connect(path, isolation_level=None)) as migration:
        migration.execute("BEGIN EXCLUSIVE")
        with running_server("--tracking-uri", sqlite_uri(path), "--store-timeout", "2") as server:
            assert server.get("/healthz").status_code == 200
            response = server.get("/readyz")
            assert response.status_code == 503
            assert "locked by another process" in response.json()["reason"]
            migration.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
            migration.execute("COMMIT")
            wait_until(lambda: server.get("/readyz").status_code == 200)
            assert _revision(server.url) == "ffffffffffff"


def test_writable_server_undoes_an_interrupted_write(sqlite_template: Path, tmp_path: Path) -> None:
    """A server that was killed while it wrote is ready again after a restart, and its write is undone."""
    path = tmp_path / "killed.db"
    interrupt_write(sqlite_template, path)
    with running_server("--tracking-uri", sqlite_uri(path)) as server:
        response = server.get("/readyz")
        assert response.status_code == 503
        assert "not closed properly" in response.json()["reason"]
    with running_server("--tracking-uri", sqlite_uri(path), "--writable") as server:
        assert server.get("/readyz").status_code == 200
        mutation = 'mutation { createExperiment(input: {name: "after"}) { experiment { name } } }'
        assert server.query(mutation).json()["data"]["createExperiment"]["experiment"] == {"name": "after"}
        names = server.query("{ experiments { nodes { name } } }").json()["data"]["experiments"]["nodes"]
        assert names == [{"name": "after"}]


def _revision(url: str) -> str:
    return str(httpx.get(f"{url}/readyz", timeout=30).json()["database_revision"])
