"""SQLite files that are locked or read-only, and the indexes that statements use."""

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.store.db.utils import create_sqlalchemy_engine
from sqlalchemy import Engine, event

from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.errors import StoreTimeout, StoreUnavailable
from schema.ports.tracking import Search
from tests.support.limits import LIMITS, store_limits
from tests.support.stores.sql_rows import WHOLE_PAGE, insert_experiment, insert_points, insert_runs, run_rows
from tests.support.stores.store import Store


@pytest.fixture
def path(sqlite_store: Store) -> Path:
    """Give the file of a store."""
    return Path(sqlite_store.uri.removeprefix("sqlite:///"))


@pytest.fixture
def engine(sqlite_store: Store) -> Iterator[Engine]:
    """Give an engine as MLflow creates it for the file."""
    engine: Engine = create_sqlalchemy_engine(sqlite_store.uri)
    yield engine
    engine.dispose()


async def test_locked_file_fails_within_timeout(path: Path) -> None:
    """A lock that is held for longer than the timeout is an error; reading works once it is released."""
    # The driver's own timeout is far longer, so that the error shows which timeout applied.
    engine: Engine = create_sqlalchemy_engine(f"sqlite:///{path}?timeout=120")
    tracking = SqlTracking(engine, store_limits(store_timeout=0.5))
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    start = time.perf_counter()
    with pytest.raises((StoreTimeout, StoreUnavailable)):
        await tracking.ready()
    assert time.perf_counter() - start < 30
    lock.execute("COMMIT")
    lock.close()
    await SqlTracking(engine, LIMITS.store).ready()
    engine.dispose()


async def test_read_only_file_is_read_without_changes(engine: Engine, path: Path) -> None:
    """All reads work on a file without write permission, and create no file beside it."""
    (a,) = insert_runs(engine, insert_experiment(engine, 5), run_rows(1))
    insert_points(engine, a, "m", [(0, 0, 1.0)])
    engine.dispose()
    before = _make_read_only(path)
    read_only: Engine = create_sqlalchemy_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    tracking = SqlTracking(read_only, LIMITS.store)
    pages = await tracking.runs([None, ("5",)], Search(), WHOLE_PAGE)
    assert list(pages.rows["run_id"]) == [a, a]
    assert (await tracking.histories([(a, "m")], None, None)).rows.size == 1
    await tracking.close()
    assert _state(path) == before


def _make_read_only(path: Path) -> tuple[bytes, list[Path]]:
    path.chmod(0o444)
    return _state(path)


def _state(path: Path) -> tuple[bytes, list[Path]]:
    return hashlib.sha256(path.read_bytes()).digest(), sorted(path.parent.iterdir())


async def test_histories_use_index_on_runs(engine: Engine) -> None:
    """The points of other runs are not read; by default SQLite uses the index on keys."""
    plans: list[str] = []
    ids = insert_runs(engine, insert_experiment(engine, 5), run_rows(2))
    tracking = SqlTracking(engine, LIMITS.store)
    await tracking.ready()
    _explain(engine, plans)
    await tracking.histories([(ids[0], "m"), (ids[1], "m"), (ids[0], "n")], None, None)
    used = [plan for plan in plans if "metrics" in plan]
    assert used
    assert all("index_metrics_run_uuid_key_step (run_uuid=? AND key=?)" in plan for plan in used)
    assert not any("TEMP B-TREE" in plan for plan in plans)
    await tracking.close()


def _explain(engine: Engine, plans: list[str]) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def _listen(*arguments: Any) -> None:
        _, cursor, statement, parameters, *_ = arguments
        if statement.startswith("SELECT"):
            rows = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.extend(row[3] for row in rows)
