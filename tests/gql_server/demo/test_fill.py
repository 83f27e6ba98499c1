"""A fill runs once, recovers from interruptions, and changes neither other files nor its process."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import mlflow
import pytest

from gql_server.demo import fill as filling
from gql_server.demo.directory import LOCK_FILE, DemoDirectoryError
from gql_server.demo.fill import fill
from gql_server.demo.quiet import quiet
from tests.support.stores.demo_store import Demo

_COMMAND = [sys.executable, "-m", "gql_server.demo"]


def _rows(database: Path, table: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608


def _start(directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*_COMMAND, str(directory)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _wait_for_runs(database: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if _rows(database, "runs") > 2:
                return
        except sqlite3.OperationalError:
            pass
        time.sleep(0.1)
    pytest.fail("the fill logged no run within a minute")


def test_second_fill_changes_nothing(demo: Demo) -> None:
    """A second fill of a filled store trains nothing and writes nothing."""
    database = demo.directory / "mlflow.db"
    before, labels = database.stat().st_mtime_ns, list[str]()
    assert fill(demo.directory, lambda label, _: labels.append(label)) == demo.uri
    assert database.stat().st_mtime_ns == before
    assert labels == ["done"]


def test_progress_rises(demo: Demo) -> None:
    """Progress starts at 0, never falls, reaches 1 only at the end, and names each run."""
    fractions = [fraction for _, fraction in demo.progress]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert all(fraction < 1.0 for fraction in fractions[:-1])
    assert len(fractions) == 2 + sum(runs for _, _, runs in filling._EXPERIMENTS)  # noqa: SLF001


def test_store_stays_in_its_directory(demo: Demo) -> None:
    """The directory contains the database, the lock file and all artifacts."""
    assert {path.name for path in demo.directory.iterdir()} == {"mlflow.db", "artifacts", LOCK_FILE}
    experiments = demo.client.search_experiments()
    artifacts = (demo.directory / "artifacts").as_uri()
    assert all(experiment.artifact_location.startswith(artifacts) for experiment in experiments)


def test_fill_keeps_the_tracking_uri(demo: Demo) -> None:
    """A fill changes neither MLflow's tracking URI nor the environment of its process."""
    assert demo.uri not in (mlflow.get_tracking_uri(), mlflow.get_registry_uri())
    assert os.environ.get("MLFLOW_TRACKING_URI") != demo.uri


@pytest.mark.parametrize("level", [logging.INFO, logging.CRITICAL])
def test_fill_restores_log_levels(caplog: pytest.LogCaptureFixture, level: int) -> None:
    """MLflow and Alembic log only errors during a fill, and have their own levels again afterwards."""
    for name in ("mlflow", "alembic"):
        caplog.set_level(level, name)
    with quiet():
        assert {logging.getLogger(name).level for name in ("mlflow", "alembic")} == {logging.ERROR}
    assert {logging.getLogger(name).level for name in ("mlflow", "alembic")} == {level}


def test_waiting_fill_replaces_a_killed_one(demo: Demo, tmp_path: Path) -> None:
    """A second process waits for the first; once the first is killed, the second makes a complete store."""
    directory = tmp_path / "store"
    with _start(directory) as first:
        _wait_for_runs(directory / "mlflow.db")
        # So that it does not finish before it is killed.
        first.send_signal(signal.SIGSTOP)
        with _start(directory) as second:
            with pytest.raises(subprocess.TimeoutExpired):
                second.wait(timeout=1)
            first.send_signal(signal.SIGKILL)
            output, errors = second.communicate(timeout=120)
    assert second.returncode == 0, errors
    assert output.strip() == f"sqlite:///{directory}/mlflow.db"
    assert len(errors.splitlines()) == 2
    for table in ("experiments", "runs", "metrics", "params", "tags", "inputs", "logged_models"):
        assert _rows(directory / "mlflow.db", table) == _rows(demo.directory / "mlflow.db", table), table


def test_fill_after_an_interrupt_starts_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C the same process can fill the directory again; artifacts of the first try are removed."""

    def interrupt(label: str, _fraction: float) -> None:
        if label == "scratch: first try":
            raise KeyboardInterrupt

    monkeypatch.setattr(filling, "_EXPERIMENTS", filling._EXPERIMENTS[-1:])  # noqa: SLF001
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path, interrupt)
    leftover = tmp_path / "artifacts" / "leftover"
    leftover.parent.mkdir(exist_ok=True)
    leftover.touch()
    fill(tmp_path)
    assert _rows(tmp_path / "mlflow.db", "runs") == 1
    assert not leftover.exists()


def test_foreign_directory_is_refused(tmp_path: Path) -> None:
    """A directory with other files is an error and is not changed, even if they look like a store."""
    (tmp_path / "mlflow.db").write_text("mine")
    with pytest.raises(DemoDirectoryError, match="did not create"):
        fill(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]
    assert (tmp_path / "mlflow.db").read_text() == "mine"


def test_file_is_refused(tmp_path: Path) -> None:
    """A file instead of a directory is an error of one line."""
    (tmp_path / "store").touch()
    with pytest.raises(DemoDirectoryError, match=r"is a file; .*directory\.$"):
        fill(tmp_path / "store")


def test_foreign_lock_file_is_refused(tmp_path: Path) -> None:
    """A file with the name of the lock file that is no database is an error of one line."""
    (tmp_path / LOCK_FILE).write_text("this is no database, and long enough to detect " * 30)
    with pytest.raises(DemoDirectoryError, match="cannot be written: file is not a database"):
        fill(tmp_path)


def test_command_reports_an_error_in_one_line(tmp_path: Path) -> None:
    """The command exits with code 1 and prints the error in one line."""
    (tmp_path / "mine.txt").touch()
    with _start(tmp_path) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, "")
    assert errors.startswith("Error: ")
    assert errors.count("\n") == 1
