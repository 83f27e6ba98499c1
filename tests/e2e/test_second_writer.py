"""Responses while another client changes the store: each shows one state of it, and its age."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from gql_server.cache.cache import Cache
from gql_server.cache.memory_backend import MemoryBackend
from gql_server.cache.redis_backend import RedisBackend
from schema.ports.store_kind import StoreKind
from tests.support.app.graphql_client import graphql_client
from tests.support.app.run_facts import FIELDS, POINTS, WAYS, Fact, Subjects, document, facts_in, stored_facts
from tests.support.clock import Clock
from tests.support.stores.store import Store

MAX_AGE = 2.0
"""`cache_running_seconds`, the longest time that anything but a history is cached."""


@dataclass
class Change:
    """A change by the other client; `run` is "run" or "parent"."""

    kind: str
    run: str


@dataclass
class Question:
    """Root fields of a query with their selections of runs, and the replica that receives it."""

    ways: list[tuple[str, str]]
    replica: int = 0


@dataclass
class Writer:
    """The other client, and the states of the store with the time until which each was the last one."""

    store: Store
    clock: Clock
    subjects: Subjects
    number: int = 0
    former: list[tuple[float, dict[Fact, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = stored_facts(self.store.client, self.subjects)

    def apply(self, change: Change) -> None:
        """Make a change, unless MLflow refuses it, as it does for most changes of deleted runs."""
        self.number += 1
        self.former.append((self.clock.now, self.state))
        with suppress(MlflowException):
            self._apply(change.kind, getattr(self.subjects, change.run))
        self.state = stored_facts(self.store.client, self.subjects)

    def _apply(self, kind: str, run_id: str) -> None:
        client, number = self.store.client, self.number
        changes: dict[str, Callable[[], Any]] = {
            "metric": lambda: client.log_metric(run_id, "m", number / 10, timestamp=number, step=number),
            "early metric": lambda: client.log_metric(run_id, "m", 0.5, timestamp=number, step=-number),
            "param": lambda: client.log_param(run_id, f"p{number}", "v"),
            "tag": lambda: client.set_tag(run_id, "t", str(number)),
            "rename": lambda: client.update_run(run_id, name=f"name {number}"),
            "finish": lambda: client.set_terminated(run_id, end_time=number),
            "resume": lambda: client.update_run(run_id, status="RUNNING"),
            "delete": lambda: client.delete_run(run_id),
            "restore": lambda: client.restore_run(run_id),
            "experiment": lambda: self._change_experiment(number),
        }
        changes[kind]()

    def _change_experiment(self, number: int) -> None:
        client, experiment = self.store.client, self.subjects.experiment
        client.rename_experiment(experiment, f"{experiment} {number} {secrets.token_hex(4)}")
        client.set_experiment_tag(experiment, "t", str(number))

    def states_since(self, start: float) -> Iterator[dict[Fact, Any]]:
        """Yield the states that were the last one at `start` or later."""
        yield self.state
        yield from (state for until, state in self.former if until > start)


def create_subjects(store: Store) -> Subjects:
    """Create an experiment with a run and its child, each with a metric."""
    client = store.client
    experiment = client.create_experiment(secrets.token_hex(8))
    parent = client.create_run(experiment).info.run_id
    run = client.create_run(experiment, tags={MLFLOW_PARENT_RUN_ID: parent}).info.run_id
    for run_id in (parent, run):
        client.log_metric(run_id, "m", 0.0, timestamp=0, step=0)
    return Subjects(experiment, parent, run)


def check(store: Store, writer: Writer, response: httpx.Response) -> None:
    """Compare a response with the states that the store had within its age."""
    body = response.json()
    assert "errors" not in body, body
    facts = facts_in(body["data"], writer.subjects)
    age = response.headers.get("age")
    states = [writer.state]
    if age is not None:
        # Age is in whole seconds, rounded down.
        states = list(writer.states_since(writer.clock.now - int(age) - 1))
    is_sql = store.kind is StoreKind.SQL
    assert age is None or int(age) <= MAX_AGE or not is_sql

    # A late point before the last one does not show in the run, so that a cached history may lack it.
    histories = [] if is_sql else [each for each in facts if each[0][1] in {POINTS, "late"}]
    others = [each for each in facts if each not in histories]
    assert any(all(state[fact] == value for fact, value in others) for state in states), (others, states)
    for fact, value in histories:
        assert any(state[fact] == value for state in states), (fact, value, states)
        assert all(value == other for same, other in histories if same == fact), (fact, histories)


@asynccontextmanager
async def replicas(store: Store, caches: Sequence[Cache]) -> AsyncIterator[list[Any]]:
    """Yield clients of servers over a store, each with one of the caches."""
    async with AsyncExitStack() as stack:
        clients = []
        for cache in caches:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("gql_server.app.cache_from", lambda _, cache=cache: cache)
                clients.append(
                    await stack.enter_async_context(graphql_client(store.uri, cache_running_seconds=MAX_AGE))
                )
        yield clients


_ways = st.lists(st.tuples(st.sampled_from([*WAYS]), st.sampled_from([*FIELDS])), min_size=1, max_size=4)
_kinds = ("metric", "early metric", "param", "tag", "rename", "finish", "resume", "delete", "restore")
_changes = st.builds(
    Change, st.sampled_from([*_kinds, "experiment"]), st.sampled_from(["run", "run", "parent"])
)
_questions = st.builds(Question, _ways, st.integers(0, 1))
_seconds = st.sampled_from([0.3, 1.2, 3.0, 20.0, 400.0])
_steps = st.lists(_questions | _changes | _questions | _seconds, min_size=2, max_size=10)

LATE_METRIC = [
    *(Change("finish", "run"), Question([("run", "logged")]), Change("metric", "run"), 6.0),
    *(Question([("run", "logged")]), Question([("run", "logged"), ("active", "logged")])),
]
HISTORY_BESIDE_VALUE = [
    *(Change("finish", "run"), Question([("run", "history")]), Change("metric", "run"), 6.0),
    *(Question([("active", "value"), ("run", "series")]), Question([("active", "history")])),
]
VALUE_BESIDE_HISTORY = [
    *(Question([("run", "row")]), Question([("run", "value")]), Change("metric", "run"), 0.3),
    *(Question([("run", "series")]), Question([("run", "history"), ("run", "sample")])),
]
DELETED = [
    *(Change("finish", "run"), Question([("run", "row")]), Change("delete", "run"), 6.0),
    Question([("run", "row"), ("active", "row"), ("deleted", "row")]),
]
LATE_STEP = [
    *(Change("metric", "run"), Change("finish", "run"), Question([("run", "history")]), 3.0),
    *(Change("early metric", "run"), Question([("run", "history"), ("active", "series")])),
]
PROPERTY = settings(
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def examples(test: Any) -> Any:
    """Add the known cases to a test."""
    for steps in (LATE_METRIC, HISTORY_BESIDE_VALUE, VALUE_BESIDE_HISTORY, DELETED, LATE_STEP):
        test = example(steps=steps)(test)
    return test


def run_property(store: Store, caches: Sequence[Cache], clock: Clock) -> None:
    """Check the responses to generated questions between generated changes."""
    with asyncio.Runner() as runner:
        servers = replicas(store, caches)
        clients = runner.run(servers.__aenter__())

        async def ask(question: Question, subjects: Subjects) -> httpx.Response:
            client = clients[question.replica % len(clients)]
            response: httpx.Response = await client.response(document(question.ways), **subjects.variables)
            return response

        @PROPERTY
        @examples
        @given(steps=_steps)
        def ask_between_changes(steps: list[Any]) -> None:
            # Nothing that is cached is valid any more.
            clock.now += 10_000.0
            writer = Writer(store, clock, create_subjects(store))
            for step in steps:
                match step:
                    case Change():
                        writer.apply(step)
                    case Question():
                        check(store, writer, runner.run(ask(step, writer.subjects)))
                    case seconds:
                        clock.now += seconds

        try:
            ask_between_changes()
        finally:
            runner.run(servers.__aexit__(None, None, None))


def test_response_shows_one_state(store: Store) -> None:
    """All fields of a response show one state of the store, and none that is older than its age."""
    clock = Clock()
    run_property(store, [_cache(clock)], clock)


def test_replicas_show_one_state(server_store: Store, redis_url: str) -> None:
    """The same is true for replicas that share a cache in Redis."""
    clock = Clock()
    caches = [_redis_cache(redis_url, clock) for _ in range(2)]
    run_property(server_store, caches, clock)


def _cache(clock: Clock) -> Cache:
    return Cache(MemoryBackend(10_000_000, clock=clock), max_entry_bytes=1_000_000, clock=clock)


def _redis_cache(url: str, clock: Clock) -> Cache:
    backend = RedisBackend(url, namespace="second-writer", timeout=5.0)
    return Cache(backend, max_entry_bytes=1_000_000, clock=clock)
