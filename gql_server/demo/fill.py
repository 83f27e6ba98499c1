"""Fill a directory with the demo store: run its trainings and log them through MLflow's client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mlflow import MlflowClient
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as RegistryStore
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as TrackingStore

from gql_server.demo import moons, ridge, scratch, spirals
from gql_server.demo.backdate import backdate
from gql_server.demo.directory import DemoDirectory
from gql_server.demo.quiet import quiet
from gql_server.demo.recorder import Recorder
from gql_server.runtime.temporary_folder import delete_unused_folders

if TYPE_CHECKING:
    from pathlib import Path

Progress = Callable[[str, float], None]
"""Called with the current step and the completed fraction of the fill, from 0 to 1."""

_EXPERIMENTS: tuple[tuple[Callable[[Recorder], Iterator[str]], str, int], ...] = (
    (moons.record, moons.EXPERIMENT, moons.RUNS),
    (ridge.record, ridge.EXPERIMENT, ridge.RUNS),
    (spirals.record, spirals.EXPERIMENT, spirals.RUNS),
    (scratch.record, scratch.EXPERIMENT, scratch.RUNS),
)

# Creating the tables of an MLflow database takes about as long as this many runs.
_RUNS_FOR_TABLES = 7


def fill(directory: Path, progress: Progress | None = None) -> str:
    """Create the demo store in ``directory`` and return its tracking URI; do not change a filled store.

    A fill takes about ten seconds. It removes the files of an interrupted fill, and no others. Raises
    ``DemoDirectoryError`` for a directory with files that the demo did not create, and if another process
    does not complete its fill of the same directory within two minutes.
    """
    report = progress or _ignore
    store = DemoDirectory(directory)
    with store.lock(lambda: report("waiting for another fill", 0.0)) as lock:
        if not store.is_filled(lock):
            store.clear(lock)
            with quiet():
                _write(store, report)
            store.mark_filled(lock)
    report("done", 1.0)
    return store.tracking_uri


def _ignore(_label: str, _fraction: float) -> None:
    pass


def _write(store: DemoDirectory, progress: Progress) -> None:
    progress("creating the database", 0.0)
    # Before the client, which would put the artifacts of experiment 0 into the working directory.
    engines = []
    try:
        tracking = TrackingStore(store.tracking_uri, store.artifacts.as_uri())
        engines.append(tracking.engine)
        registry = RegistryStore(store.tracking_uri)
        engines.append(registry.engine)
        _train(Recorder(MlflowClient(store.tracking_uri, store.tracking_uri), store.artifacts), progress)
        backdate(store.database)
    finally:
        # MLflow caches an engine per URI; its connections would stay open to a file that a next fill deletes.
        for engine in engines:
            engine.dispose()
        delete_unused_folders()


def _train(recorder: Recorder, progress: Progress) -> None:
    done, total = _RUNS_FOR_TABLES, _RUNS_FOR_TABLES + sum(runs for _, _, runs in _EXPERIMENTS)
    for record, experiment, _ in _EXPERIMENTS:
        for name in record(recorder):
            progress(f"{experiment}: {name}", done / total)
            done += 1
