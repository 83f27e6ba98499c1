"""Changes of a store: made once, forgotten in the cache, and in doubt where nobody can know."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from mlflow.entities import RunStatus
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from gql_server.stores.mlflow.lazy_store import LazyStore
from gql_server.stores.mlflow.single_attempt import open_single_attempt_store
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.writes.write_store import WriteStore
from schema.ports.errors import BadUserInput, PublicError, StoreTimeout, StoreUnavailable, UnsupportedByStore
from schema.ports.store_kind import StoreKind
from schema.ports.tracking_writes import Batch, KeyValue, NewRun, Point, RunUpdate
from tests.support.servers import MlflowServer, free_port
from tests.support.stores import Store

RUN_ID = "0123456789abcdef0123456789abcdef"
PATIENT, IMPATIENT = 30.0, 3.0
IN_DOUBT = "may or may not have been applied"


@dataclass
class Forgetting:
    """A cache that notes what it is to forget."""

    forgotten: list[str] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def invalidate(self, run_ids: Iterable[str] = (), experiment_ids: Iterable[str] = ()) -> None:
        """Note the ids."""
        self.forgotten.append(",".join([*run_ids, *experiment_ids]))
        self.more.set()

    async def invalidate_all(self) -> None:
        """Note it."""
        self.forgotten.append("all")
        self.more.set()


def writer_to(
    uri: str,
    kind: StoreKind,
    timeout: float = PATIENT,
    kept: Forgetting | None = None,
    threads: int = 4,
    retries: int = 0,
) -> WriteStore:
    """Return a writer to the store at a tracking URI; with a short time to wait, to one that is open."""
    lazy = LazyStore(uri, build=open_single_attempt_store)
    if timeout < PATIENT:
        lazy.get()
    calls = StoreCalls(lazy, threads, retries)
    return WriteStore(calls, kind, timeout, kept or Forgetting())


@asynccontextmanager
async def counting(reply: bytes | None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Give the URI of an HTTP server that gives each request this answer, or none, and what it was sent."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n")).split(b" ")[1])
        if reply is not None:
            # All of it: what is unread when the connection is closed resets it, with the answer under way.
            headers = await reader.readuntil(b"\r\n\r\n")
            announced = re.search(rb"content-length: *([0-9]+)", headers, re.IGNORECASE)
            await reader.readexactly(int(announced[1]) if announced else 0)
            length = b"Content-Length: %d" % len(reply.partition(b"\r\n")[2])
            head, _, body = reply.partition(b"\r\n")
            writer.write(b"\r\n".join([b"HTTP/1.1 " + head, length, b"Connection: close", b"", body]))
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"http://{host}:{port}", seen
    server.close()
    await server.wait_closed()


CHANGES: list[tuple[str, tuple[Any, ...]]] = [
    ("create_experiment", ("x", None, [])),
    ("delete_experiment", ("1",)),
    ("restore_experiment", ("1",)),
    ("set_experiment_tags", ("1", [KeyValue("k", "v")])),
    ("delete_experiment_tags", ("1", ["k"])),
    ("start_run", (NewRun("1"),)),
    ("update_run", (RUN_ID, RunUpdate(name="x"))),
    ("delete_run", (RUN_ID,)),
    ("restore_run", (RUN_ID,)),
    ("log_batch", (RUN_ID, Batch(metrics=[Point("m", 1, 0, 0)]))),
    ("delete_run_tags", (RUN_ID, ["k"])),
]


@pytest.mark.parametrize(("method", "arguments"), CHANGES)
@pytest.mark.parametrize("reply", [b"500 Oops\r\n{}", b"503 Busy\r\nno", b"429 Slower\r\nno", None])
async def test_no_change_is_sent_twice(method: str, arguments: tuple[Any, ...], reply: bytes | None) -> None:
    """Whatever a server answers to a change, or though it hangs up, it gets the change once."""
    async with counting(reply) as (uri, seen):
        kept = Forgetting()
        writer = writer_to(uri, StoreKind.MLFLOW_SERVER, kept=kept)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - a fault, or what the log gets
            await getattr(writer, method)(*arguments)
        await writer.close()
    assert len(seen) == 1
    assert len(kept.forgotten) == 1
    if isinstance(caught.value, StoreUnavailable):
        assert IN_DOUBT in str(caught.value)
        assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize(
    "reply",
    [
        b'500 Oops\r\n{"error_code": "INTERNAL_ERROR", "message": "at http://a.b/c"}',
        b"500 Oops\r\n{}",
        b"502 Bad\r\n<html>the proxy's</html>",
        b"200 OK\r\n<html>the proxy's</html>",
        b'200 OK\r\n{"run": 3}',
    ],
)
async def test_an_answer_that_says_nothing_is_in_doubt(reply: bytes) -> None:
    """A server that fails, or a proxy before it, may have applied the change, and the fault says so."""
    async with counting(reply) as (uri, seen):
        writer = writer_to(uri, StoreKind.MLFLOW_SERVER)
        with pytest.raises(StoreUnavailable, match=IN_DOUBT) as caught:
            await writer.start_run(NewRun("1", "named"))
        await writer.close()
    assert len(seen) == 1
    assert "a.b" not in str(caught.value)


async def test_what_was_never_sent_is_not_in_doubt() -> None:
    """Where nobody listens the change was not applied, and nothing suggests that it was."""
    writer = writer_to(f"http://127.0.0.1:{free_port()}", StoreKind.MLFLOW_SERVER)
    with pytest.raises(StoreUnavailable) as caught:
        await writer.delete_run(RUN_ID)
    assert IN_DOUBT not in str(caught.value)
    missing = writer_to("sqlite:////nowhere/at/all.db", StoreKind.SQL)
    with pytest.raises(StoreUnavailable) as caught:
        await missing.delete_run(RUN_ID)
    assert IN_DOUBT not in str(caught.value)
    await writer.close()
    await missing.close()


async def test_a_change_through_a_real_server(
    server_store: Store, shared_mlflow_server: MlflowServer
) -> None:
    """The requests that are sent once are those that a real MLflow server takes."""
    writer = writer_to(shared_mlflow_server.uri, StoreKind.MLFLOW_SERVER)
    experiment = await writer.create_experiment("x", None, [KeyValue("k", "v")])
    run = await writer.start_run(NewRun(experiment, "named"))
    assert server_store.client.get_run(run).info.run_name == "named"
    await writer.close()


@dataclass
class Held:
    """Deletions of runs, each held in its thread until `go` is set."""

    begun: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Hold each deletion of a run in its thread."""
    held = Held()
    real: Any = SqlAlchemyStore.delete_run

    def delete(store: SqlAlchemyStore, run_id: str) -> None:
        held.begun.set()
        assert held.go.wait(60)
        real(store, run_id)

    monkeypatch.setattr(SqlAlchemyStore, "delete_run", delete)
    yield held
    held.go.set()


async def until_forgotten(kept: Forgetting, times: int) -> None:
    """Return when so much was forgotten."""
    async with asyncio.timeout(60):
        while len(kept.forgotten) < times:
            await kept.more.wait()
            kept.more.clear()


async def test_a_slow_change_is_in_doubt(sqlite_store: Store, held: Held) -> None:
    """A change that takes too long may have been applied; when it ends, what was kept is forgotten again."""
    run = sqlite_store.client.create_run("0").info.run_id
    kept = Forgetting()
    writer = writer_to(sqlite_store.uri, StoreKind.SQL, timeout=IMPATIENT, kept=kept)
    with pytest.raises(StoreTimeout, match=IN_DOUBT):
        await writer.delete_run(run)
    assert kept.forgotten == [run]
    held.go.set()
    await until_forgotten(kept, 2)
    assert sqlite_store.client.get_run(run).info.lifecycle_stage == "deleted"
    await writer.close()


async def test_a_change_that_never_had_its_turn(sqlite_store: Store, held: Held) -> None:
    """A change that waited in vain for a thread is not applied, not later either, and the fault says so."""
    one, other = (sqlite_store.client.create_run("0").info.run_id for _ in range(2))
    kept = Forgetting()
    writer = writer_to(sqlite_store.uri, StoreKind.SQL, timeout=IMPATIENT, kept=kept, threads=1)
    first = asyncio.create_task(writer.delete_run(one))
    assert await asyncio.to_thread(held.begun.wait, 60)
    with pytest.raises(StoreTimeout, match="it was not applied"):
        await writer.update_run(other, RunUpdate(name="late"))
    with pytest.raises(StoreTimeout, match=IN_DOUBT):
        await first
    held.go.set()
    await until_forgotten(kept, 3)
    assert sqlite_store.client.get_run(one).info.lifecycle_stage == "deleted"
    assert sqlite_store.client.get_run(other).info.run_name != "late"
    await writer.close()


async def test_who_asked_may_leave(sqlite_store: Store, held: Held) -> None:
    """A change goes on, and what was kept is forgotten, though whoever asked for it was cancelled."""
    run = sqlite_store.client.create_run("0").info.run_id
    kept = Forgetting()
    writer = writer_to(sqlite_store.uri, StoreKind.SQL, kept=kept)
    asked = asyncio.create_task(writer.delete_run(run))
    assert await asyncio.to_thread(held.begun.wait, 60)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    held.go.set()
    await until_forgotten(kept, 1)
    assert sqlite_store.client.get_run(run).info.lifecycle_stage == "deleted"
    await writer.close()


async def test_what_is_forgotten(sqlite_store: Store) -> None:
    """Each change makes what it touches be forgotten, and that of a whole experiment everything."""
    kept = Forgetting()
    writer = writer_to(sqlite_store.uri, StoreKind.SQL, kept=kept)
    experiment = await writer.create_experiment("x", None, [])
    await writer.rename_experiment(experiment, "y")
    await writer.delete_experiment(experiment)
    await writer.restore_experiment(experiment)
    await writer.set_experiment_tags(experiment, [KeyValue("a", "b")])
    run = await writer.start_run(NewRun(experiment))
    await writer.log_batch(run, Batch(params=[KeyValue("p", "1")]))
    assert kept.forgotten == ["", experiment, experiment, "all", "all", experiment, "", run]
    with pytest.raises(BadUserInput):
        await writer.log_batch(run, Batch(params=[KeyValue("p", "2")]))
    assert kept.forgotten[-2:] == [run, run]
    await writer.close()


async def test_a_piece_that_fails_leaves_those_before_it(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a call fails in the middle, the batch up to there is stored, and the message has the numbers."""
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
    writer = writer_to(sqlite_store.uri, StoreKind.SQL)
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


async def test_who_comes_between_is_waited_for(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a database undid for a row that another writer made first is done again where that is the same."""
    run = sqlite_store.client.create_run("0").info.run_id
    real: Any = SqlAlchemyStore._log_params  # noqa: SLF001
    calls: list[int] = []
    undone = sqlalchemy.exc.IntegrityError("INSERT INTO params", {}, Exception("UNIQUE"))

    def log_params(store: SqlAlchemyStore, run_id: str, params: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            # As late as between MLflow's look at the run's params and its own INSERT.
            engine = store.engine
            with engine.begin() as connection:
                connection.execute(
                    sqlalchemy.text("INSERT INTO params (run_uuid, key, value) VALUES (:run, 'p', '1')"),
                    {"run": run},
                )
            raise undone
        real(store, run_id, params)

    monkeypatch.setattr(SqlAlchemyStore, "_log_params", log_params)
    writer = writer_to(sqlite_store.uri, StoreKind.SQL)
    await writer.log_batch(run, Batch(params=[KeyValue("p", "1"), KeyValue("q", "2")]))
    assert sqlite_store.client.get_run(run).data.params == {"p": "1", "q": "2"}
    assert len(calls) == 2
    calls.clear()
    with pytest.raises(BadUserInput, match="Changing param values"):
        await writer.log_batch(run, Batch(params=[KeyValue("q", "3")]))
    await writer.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("", None, []), "Invalid experiment name"),
        (("x" * 501, None, []), "exceeds the maximum length of 500"),
        (("a\0b", None, []), "NUL"),
        (("x", "runs:/1/a", []), "runs:/ URI"),
        (("x", "file:///etc/#a", []), "fragments"),
        (("x", "http://b/a;x", []), "params"),
        (("x", "s3://b/a?x=../..", []), "query"),
        (("x", "s3://b/" + "a" * 3000, []), "length"),
        (("x", None, [KeyValue("k", "v" * 5001)]), "exceeds the maximum length of 5000"),
        (("x", None, [KeyValue("", "v")]), "tags[0].key"),
    ],
)
async def test_experiments_that_are_refused(sqlite_store: Store, arguments: Any, said: str) -> None:
    """What MLflow or its server would not take is BAD_USER_INPUT, in its words, and reaches no store."""
    kept = Forgetting()
    writer = writer_to(sqlite_store.uri, StoreKind.SQL, kept=kept)
    with pytest.raises(BadUserInput) as caught:
        await writer.create_experiment(*arguments)
    assert said in str(caught.value)
    assert kept.forgotten == []
    await writer.close()


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (NewRun("no id"), "not an experiment id"),
        (NewRun("0", parent_run_id="../x"), "not a run id"),
        (NewRun("0", name=""), "must not be empty"),
        (NewRun("0", name="a", tags=[KeyValue("mlflow.runName", "b")]), "name is 'a'"),
        (NewRun("0", user_id="a", tags=[KeyValue("mlflow.user", "b")]), "userId is 'a'"),
        (NewRun("0", tags=[KeyValue("t", "\0")]), "NUL"),
    ],
)
async def test_runs_that_are_refused(sqlite_store: Store, new: NewRun, said: str) -> None:
    """A run that contradicts itself, or that no store can have, is not started."""
    writer = writer_to(sqlite_store.uri, StoreKind.SQL)
    with pytest.raises(BadUserInput) as caught:
        await writer.start_run(new)
    assert said in str(caught.value)
    assert sqlite_store.client.search_runs(["0"]) == []
    await writer.close()


async def test_what_a_kind_of_store_cannot_do(file_store: Store) -> None:
    """Deleting the default experiment of a folder of files, and renaming one of Azure's, is unsupported."""
    writer = writer_to(file_store.uri, StoreKind.FILE)
    with pytest.raises(UnsupportedByStore, match="default experiment"):
        await writer.delete_experiment("0")
    azure = writer_to(file_store.uri, StoreKind.AZURE_ML)
    with pytest.raises(UnsupportedByStore, match="rename"):
        await azure.rename_experiment("0", "x")
    await writer.close()
    await azure.close()


async def test_a_locked_database_is_not_available(sqlite_store: Store, tmp_path: Path) -> None:
    """Another process that holds the database is an outage with a time limit, and no SQL in the message."""
    run = sqlite_store.client.create_run("0").info.run_id
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'mlflow.db'}")
    writer = writer_to(sqlite_store.uri, StoreKind.SQL, timeout=IMPATIENT)
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(PublicError) as caught:
            await writer.update_run(run, RunUpdate(status=RunStatus.to_string(RunStatus.FAILED)))
        connection.exec_driver_sql("ROLLBACK")
    assert IN_DOUBT in str(caught.value)
    engine.dispose()
    await writer.close()
