"""Fills a directory with the demo store: experiments trained here and logged through MLflow's own client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mlflow import MlflowClient
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as RegistryStore
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as TrackingStore

from gql_server.demo import backdate, moons, ridge, scratch, spirals
from gql_server.demo.directory import DemoDirectory
from gql_server.demo.quiet import quiet
from gql_server.demo.recorder import Logbook

if TYPE_CHECKING:
    from pathlib import Path

Progress = Callable[[str, float], None]
"""Told what is being done and how much of the fill, from 0 to 1, lies behind it."""

_STUDIES: tuple[tuple[Callable[[Logbook], Iterator[str]], str, int], ...] = (
    (moons.record, moons.EXPERIMENT, moons.RUNS),
    (ridge.record, ridge.EXPERIMENT, ridge.RUNS),
    (spirals.record, spirals.EXPERIMENT, spirals.RUNS),
    (scratch.record, scratch.EXPERIMENT, scratch.RUNS),
)

# Making the tables of an MLflow database takes about as long as this many runs.
_TABLES = 7


def fill(directory: Path, progress: Progress | None = None) -> str:
    """Make the demo store in ``directory`` and return its tracking URI; a full one is left as it is.

    Takes about ten seconds. What an interrupted fill left is removed first; other files are never touched.
    Raises ``DemoDirectoryError`` for a directory that holds anything that the demo did not make, and when
    another process does not finish its fill of the same directory within two minutes.
    """
    told = progress or _silence
    store = DemoDirectory(directory)
    with store.claim(lambda: told("waiting for another fill", 0.0)) as claim:
        if not store.is_full(claim):
            store.clear(claim)
            with quiet():
                _write(store, told)
            store.mark_full(claim)
    told("done", 1.0)
    return store.tracking_uri


def _silence(_label: str, _fraction: float) -> None:
    pass


def _write(store: DemoDirectory, progress: Progress) -> None:
    progress("making the database", 0.0)
    # The store first: a client alone puts the artifacts of experiment 0 into the working directory.
    engines = []
    try:
        tracking = TrackingStore(store.tracking_uri, store.artifacts.as_uri())
        engines.append(tracking.engine)
        registry = RegistryStore(store.tracking_uri)
        engines.append(registry.engine)
        _train(Logbook(MlflowClient(store.tracking_uri, store.tracking_uri), store.artifacts), progress)
        backdate.settle(store.database)
    finally:
        # MLflow keeps one engine per URI, and its connections would outlive a file that a next fill deletes.
        for engine in engines:
            engine.dispose()


def _train(logbook: Logbook, progress: Progress) -> None:
    done, total = _TABLES, _TABLES + sum(runs for _, _, runs in _STUDIES)
    for record, experiment, _ in _STUDIES:
        for name in record(logbook):
            progress(f"{experiment}: {name}", done / total)
            done += 1
