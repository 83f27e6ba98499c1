"""Changes to a store: timeouts, invalidation, conflicts, partly stored batches and invalid input."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from mlflow.entities import RunStatus
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.validation import MAX_EXPERIMENT_TAG_VAL_LENGTH

from schema.ports.errors import BadUserInput, PublicError, StoreTimeout, StoreUnavailable, UnsupportedByStore
from schema.ports.store_kind import StoreKind
from schema.ports.tracking_writes import Batch, KeyValue, NewRun, Point, RunUpdate
from tests.support.stores.store import Store
from tests.support.stores.write_stores import IN_DOUBT, RecordingCache, open_write_store

RUN_ID = "0123456789abcdef0123456789abcdef"
SHORT_TIMEOUT = 3.0


@dataclass
class BlockedDeletions:
    """Deletions of runs, which block in their threads until `released` is set."""

    started: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[BlockedDeletions]:
    """Block each deletion of a run in its thread."""
    blocked = BlockedDeletions()
    real: Any = SqlAlchemyStore.delete_run

    def delete(store: SqlAlchemyStore, run_id: str) -> None:
        blocked.started.set()
        assert blocked.released.wait(60)
        real(store, run_id)

    monkeypatch.setattr(SqlAlchemyStore, "delete_run", delete)
    yield blocked
    blocked.released.set()


async def test_change_that_exceeds_timeout_is_in_doubt(
    sqlite_store: Store, blocked: BlockedDeletions
) -> None:
    """A change that exceeds the timeout may be applied; the cache is invalidated again when it ends."""
    run = sqlite_store.client.create_run("0").info.run_id
    cache = RecordingCache()
    writer = open_write_store(sqlite_store.uri, StoreKind.SQL, timeout=SHORT_TIMEOUT, cache=cache)
    with pytest.raises(StoreTimeout, match=IN_DOUBT):
        await writer.delete_run(run)
    assert cache.invalidated == [run]
    blocked.released.set()
    await cache.wait_for_invalidations(2)
    assert sqlite_store.client.get_run(run).info.lifecycle_stage == "deleted"
    await writer.close()


async def test_change_that_waits_too_long_for_a_thread_is_not_applied(
    sqlite_store: Store, blocked: BlockedDeletions
) -> None:
    """A change that exceeds the timeout in the queue is never applied, and the error states this."""
    one, other = (sqlite_store.client.create_run("0").info.run_id for _ in range(2))
    cache = RecordingCache()
    writer = open_write_store(sqlite_store.uri, StoreKind.SQL, timeout=SHORT_TIMEOUT, cache=cache, threads=1)
    first = asyncio.create_task(writer.delete_run(one))
    assert await asyncio.to_thread(blocked.started.wait, 60)
    with pytest.raises(StoreTimeout, match="it was not applied"):
        await writer.update_run(other, RunUpdate(name="late"))
    with pytest.raises(StoreTimeout, match=IN_DOUBT):
        await first
    blocked.released.set()
    await cache.wait_for_invalidations(3)
    assert sqlite_store.client.get_run(one).info.lifecycle_stage == "deleted"
    assert sqlite_store.client.get_run(other).info.run_name != "late"
    await writer.close()


async def test_change_continues_after_cancellation(sqlite_store: Store, blocked: BlockedDeletions) -> None:
    """A change and the invalidation after it complete, even if the caller is cancelled."""
    run = sqlite_store.client.create_run("0").info.run_id
    cache = RecordingCache()
    writer = open_write_store(sqlite_store.uri, StoreKind.SQL, cache=cache)
    request_task = asyncio.create_task(writer.delete_run(run))
    assert await asyncio.to_thread(blocked.started.wait, 60)
    request_task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request_task
    blocked.released.set()
    await cache.wait_for_invalidations(1)
    assert sqlite_store.client.get_run(run).info.lifecycle_stage == "deleted"
    await writer.close()


async def test_each_change_invalidates_what_it_affects(sqlite_store: Store) -> None:
    """Each change invalidates what it affects; deleting or restoring an experiment invalidates all."""
    cache = RecordingCache()
    writer = open_write_store(sqlite_store.uri, StoreKind.SQL, cache=cache)
    experiment = await writer.create_experiment("x", None, [])
    await writer.rename_experiment(experiment, "y")
    await writer.delete_experiment(experiment)
    await writer.restore_experiment(experiment)
    await writer.set_experiment_tags(experiment, [KeyValue("a", "b")])
    run = await writer.start_run(NewRun(experiment))
    await writer.log_batch(run, Batch(params=[KeyValue("p", "1")]))
    assert cache.invalidated == ["", experiment, experiment, "all", "all", experiment, "", run]
    with pytest.raises(BadUserInput):
        await writer.log_batch(run, Batch(params=[KeyValue("p", "2")]))
    assert cache.invalidated[-2:] == [run, run]
    await writer.close()


async def test_failed_part_of_batch_leaves_earlier_parts_stored(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a call fails, the earlier parts of the batch are stored, and the message has the numbers."""
    run = sqlite_store.client.create_run("0").info.run_id
    real: Any = SqlAlchemyStore.log_batch
    calls: list[int] = []
    failure = sqlalchemy.exc.OperationalError("INSERT INTO metrics", {}, Exception("disk"))

    def log_batch(store: SqlAlchemyStore, *arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise failure
        real(store, *arguments)

    monkeypatch.setattr(SqlAlchemyStore, "log_batch", log_batch)
    writer = open_write_store(sqlite_store.uri, StoreKind.SQL)
    batch = Batch(
        [Point("m", step, 0, step) for step in range(3000)], [KeyValue("p", "1")], [KeyValue("t", "1")]
    )
    with pytest.raises(StoreUnavailable) as caught:
        await writer.log_batch(run, batch)
    stored = "Certainly stored: 1 of 1 params, 1,999 of 3,000 metrics, 0 of 1 tags."
    assert str(caught.value).endswith(f"{IN_DOUBT}. {stored}")
    assert "INSERT" not in str(caught.value)
    history = sqlite_store.client.get_metric_history(run, "m")
    assert [point.step for point in history] == list(range(1999))
    await writer.close()


async def test_idempotent_change_is_repeated_after_conflict(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An idempotent change that the database rolled back because of a concurrent insert is repeated."""
    run = sqlite_store.client.create_run("0").info.run_id
    real: Any = SqlAlchemyStore._log_params  # noqa: SLF001
    calls: list[int] = []
    conflict = sqlalchemy.exc.IntegrityError("INSERT INTO params", {}, Exception("UNIQUE"))

    def log_params(store: SqlAlchemyStore, run_id: str, params: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            # Between MLflow's SELECT of the run's params and its INSERT.
            engine = store.engine
            with engine.begin() as connection:
                connection.execute(
                    sqlalchemy.text("INSERT INTO params (run_uuid, key, value) VALUES (:run, 'p', '1')"),
                    {"run": run},
                )
            raise conflict
        real(store, run_id, params)

    monkeypatch.setattr(SqlAlchemyStore, "_log_params", log_params)
    writer = open_write_store(sqlite_store.uri, StoreKind.SQL)
    await writer.log_batch(run, Batch(params=[KeyValue("p", "1"), KeyValue("q", "2")]))
    assert sqlite_store.client.get_run(run).data.params == {"p": "1", "q": "2"}
    assert len(calls) == 2
    calls.clear()
    with pytest.raises(BadUserInput, match="Changing param values"):
        await writer.log_batch(run, Batch(params=[KeyValue("q", "3")]))
    await writer.close()


_TOO_LONG = "v" * (MAX_EXPERIMENT_TAG_VAL_LENGTH + 1)
"""A value over MLflow's limit, which is larger since 3.17."""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", None, []), "Invalid experiment name"),
        (("x" * 501, None, []), "exceeds the maximum length of 500"),
        (("a\0b", None, []), "NUL"),
        (("x", "runs:/1/a", []), "runs:/ URI"),
        (("x", "file:///etc/#a", []), "fragments"),
        (("x", "http://b/a;x", []), "params"),
        (("x", "s3://b/a?x=../..", []), "query"),
        (("x", "s3://b/" + "a" * 3000, []), "length"),
        (("x", None, [KeyValue("k", _TOO_LONG)]), f"exceeds the maximum length of {len(_TOO_LONG) - 1}"),
        (("x", None, [KeyValue("", "v")]), "tags[0].key"),
    ],
)
async def test_invalid_experiment_is_refused_before_the_store(
    sqlite_store: Store, arguments: Any, message: str
) -> None:
    """An experiment that MLflow would refuse raises BAD_USER_INPUT with its message, without a store call."""
    cache = RecordingCache()
    writer = open_write_store(sqlite_store.uri, StoreKind.SQL, cache=cache)
    with pytest.raises(BadUserInput) as caught:
        await writer.create_experiment(*arguments)
    assert message in str(caught.value)
    assert cache.invalidated == []
    await writer.close()


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (NewRun("no id"), "not an experiment id"),
        (NewRun("0", parent_run_id="../x"), "not a run id"),
        (NewRun("0", name=" "), "must not be empty"),
        (NewRun("0", name="a", tags=[KeyValue("mlflow.runName", "b")]), "name is 'a'"),
        (NewRun("0", user_id="a", tags=[KeyValue("mlflow.user", "b")]), "userId is 'a'"),
        (NewRun("0", tags=[KeyValue("t", "\0")]), "NUL"),
    ],
)
async def test_invalid_run_is_refused(sqlite_store: Store, new: NewRun, message: str) -> None:
    """A run with contradictory or invalid values is not started."""
    writer = open_write_store(sqlite_store.uri, StoreKind.SQL)
    with pytest.raises(BadUserInput) as caught:
        await writer.start_run(new)
    assert message in str(caught.value)
    assert sqlite_store.client.search_runs(["0"]) == []
    await writer.close()


async def test_unsupported_changes_are_refused(file_store: Store) -> None:
    """A file store cannot delete its default experiment, and Azure cannot rename one."""
    writer = open_write_store(file_store.uri, StoreKind.FILE)
    with pytest.raises(UnsupportedByStore, match="default experiment"):
        await writer.delete_experiment("0")
    azure = open_write_store(file_store.uri, StoreKind.AZURE_ML)
    with pytest.raises(UnsupportedByStore, match="rename"):
        await azure.rename_experiment("0", "x")
    await writer.close()
    await azure.close()


async def test_locked_database_leaves_change_in_doubt(sqlite_store: Store, tmp_path: Path) -> None:
    """A change to a locked database fails within the time limit, without SQL in the message."""
    run = sqlite_store.client.create_run("0").info.run_id
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'mlflow.db'}")
    writer = open_write_store(sqlite_store.uri, StoreKind.SQL, timeout=SHORT_TIMEOUT)
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(PublicError) as caught:
            await writer.update_run(run, RunUpdate(status=RunStatus.to_string(RunStatus.FAILED)))
        connection.exec_driver_sql("ROLLBACK")
    assert IN_DOUBT in str(caught.value)
    engine.dispose()
    await writer.close()
