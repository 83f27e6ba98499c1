"""Live queries: who shares an execution, which answers are sent, and what ends a subscription."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import orjson
import pytest

from gql_server.auth.caller import ANONYMOUS, Caller
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.response_cache import ComputedResponse
from gql_server.config.limits import LiveLimits
from gql_server.config.settings import Settings
from gql_server.http.graphql_request import GraphQLRequest
from gql_server.http.request_error import RequestError
from gql_server.live.live_queries import LiveQueries
from gql_server.live.subscription_counts import SubscriptionCounts
from gql_server.observability.metrics import Metrics
from gql_server.operations.admission import AdmittedOperation, OperationAdmission
from gql_server.operations.executor import OperationExecutor
from gql_server.operations.persisted_documents import PersistedDocuments
from gql_server.operations.unavailable import too_many_operations
from schema.build import build_schema

_SETTINGS = Settings(live_interval=3600)
_LIMITS = _SETTINGS.limits.live
_SECONDS = 30.0
"""More than any event takes: a test fails after it."""


@dataclass
class Answers:
    """In place of the executor: the answer that the store has now, or the error that it raises."""

    body: bytes = b'{"data":1}'
    error: Exception | None = None
    executions: int = 0
    free: asyncio.Event = field(default_factory=asyncio.Event)
    reading: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.free.set()

    async def execute(
        self, _operation: AdmittedOperation, _caller: Caller, _cache_control: CacheControl
    ) -> ComputedResponse:
        """Return the answer as it was when the execution began, once `free` is set."""
        self.executions += 1
        body, error = self.body, self.error
        self.reading.set()
        await self.free.wait()
        if error is not None:
            raise error
        result = orjson.loads(body)
        codes = tuple(entry["extensions"]["code"] for entry in result.get("errors", ()))
        return ComputedResponse(body, 0.0, codes)


def _live(answers: Answers, limits: LiveLimits = _LIMITS) -> LiveQueries:
    return LiveQueries(cast("OperationExecutor", answers), SubscriptionCounts(limits), limits, Metrics())


def _operation(run_id: str) -> AdmittedOperation:
    schema = build_schema()._schema  # noqa: SLF001 - as the application
    admission = OperationAdmission(schema, _SETTINGS, PersistedDocuments.from_settings(_SETTINGS))
    query = "subscription ($id: ID!) { run(runId: $id) { name } }"
    return asyncio.run(admission.admit(GraphQLRequest(query, {"id": run_id}, None), _do_not_pause))


async def _do_not_pause() -> None:
    pass


OPERATION, OTHER = _operation("a"), _operation("b")


@asynccontextmanager
async def _subscribed(
    live: LiveQueries, operation: AdmittedOperation = OPERATION, caller: Caller = ANONYMOUS
) -> AsyncIterator[AsyncGenerator[bytes]]:
    async with aclosing(live.events(operation, caller)) as events:
        yield events


async def _next(events: AsyncGenerator[bytes]) -> Any:
    return orjson.loads(await asyncio.wait_for(anext(events), _SECONDS))


def _error(code: str, message: str = "It failed.") -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


async def _round(answers: Answers, live: LiveQueries) -> None:
    """Return when a round that begins now has been executed."""
    before = answers.executions
    live.wake()
    await _until(lambda: answers.executions > before)
    for _ in range(10):
        await asyncio.sleep(0)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_SECONDS):
        while not condition():  # noqa: ASYNC110 - the state has no event
            await asyncio.sleep(0)


async def test_an_answer_that_differs_is_sent() -> None:
    """The first event is the answer; a round with the same answer sends none."""
    answers = Answers()
    live = _live(answers)
    async with _subscribed(live) as events:
        assert await _next(events) == {"data": 1}
        await _round(answers, live)
        answers.body = b'{"data":2}'
        await _round(answers, live)
        assert await _next(events) == {"data": 2}
        assert answers.executions == 3


async def test_equal_subscriptions_are_executed_once() -> None:
    """A late subscriber gets the latest answer without an execution."""
    answers = Answers()
    live = _live(answers)
    streams = [live.events(OPERATION, ANONYMOUS) for _ in range(100)]
    assert [await _next(events) for events in streams] == [{"data": 1}] * 100
    answers.body = b'{"data":2}'
    live.wake()
    assert [await _next(events) for events in streams] == [{"data": 2}] * 100
    assert (answers.executions, live.subscribers, live.cohorts) == (2, 100, 1)
    for events in streams:
        await events.aclose()
    assert (live.subscribers, live.cohorts) == (0, 0)


@pytest.mark.parametrize(
    ("operation", "caller"),
    [(OTHER, ANONYMOUS), (OPERATION, replace(ANONYMOUS, principal="someone"))],
)
async def test_others_have_their_own_execution(operation: AdmittedOperation, caller: Caller) -> None:
    """Other variables, and a caller for whom the store may have other data, are other cohorts."""
    answers = Answers()
    live = _live(answers)
    async with _subscribed(live) as first, _subscribed(live, operation, caller) as second:
        assert await _next(first) == await _next(second)
        assert (answers.executions, live.cohorts) == (2, 2)


async def test_slow_subscriber_gets_the_latest_answer() -> None:
    """Answers between the last one that it took and the latest are skipped."""
    answers = Answers()
    live = _live(answers)
    async with _subscribed(live) as slow:
        assert await _next(slow) == {"data": 1}
        for number in (2, 3, 4):
            answers.body = b'{"data":%d}' % number
            await _round(answers, live)
        assert await _next(slow) == {"data": 4}


async def test_change_during_an_execution_is_read_after_it() -> None:
    """The execution in flight may have read the store before the change."""
    answers = Answers()
    live = _live(answers)
    async with _subscribed(live) as events:
        await _next(events)
        answers.free.clear()
        answers.reading.clear()
        live.wake()
        await asyncio.wait_for(answers.reading.wait(), _SECONDS)
        answers.body = b'{"data":2}'
        live.wake()
        # The round that finds the execution in flight.
        await _until(lambda: not live._woken.is_set())  # noqa: SLF001 - no other sign of a round's begin
        await asyncio.sleep(0)
        answers.free.set()
        assert await _next(events) == {"data": 2}


@pytest.mark.parametrize("raised", [True, False])
async def test_failure_is_one_event(raised: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Further failures with the same code are none; the answer after them is one, even if it is the same."""
    answers = Answers()
    live = _live(answers)

    def fail(message: str) -> None:
        error = _error("STORE_UNAVAILABLE", message)
        if raised:
            answers.error = RequestError([error])
        else:
            answers.body = orjson.dumps({"data": {"run": None}, "errors": [error]})

    async with _subscribed(live) as events:
        assert await _next(events) == {"data": 1}
        for message in ("id 1", "id 2"):
            fail(message)
            await _round(answers, live)
        assert (await _next(events))["errors"] == [_error("STORE_UNAVAILABLE", "id 1")]
        answers.error, answers.body = None, b'{"data":1}'
        live.wake()
        assert await _next(events) == {"data": 1}


async def test_unexpected_error_has_an_id_only() -> None:
    """The subscription goes on after it."""
    answers = Answers(error=ValueError("a secret"))
    live = _live(answers)
    async with _subscribed(live) as events:
        event = await _next(events)
        assert event["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert "secret" not in str(event)
        answers.error = None
        live.wake()
        assert await _next(events) == {"data": 1}


async def test_busy_server_skips_a_round() -> None:
    """Subscribers do not see that other operations take all places."""
    answers = Answers()
    live = _live(answers)
    async with _subscribed(live) as events:
        await _next(events)
        answers.error = too_many_operations(1)
        await _round(answers, live)
        answers.error, answers.body = None, b'{"data":2}'
        live.wake()
        assert await _next(events) == {"data": 2}


@pytest.mark.parametrize(
    ("limit", "setting"),
    [
        ("max_subscriptions", "GQL_MAX_SUBSCRIPTIONS"),
        ("max_caller_subscriptions", "GQL_MAX_CALLER_SUBSCRIPTIONS"),
        ("max_cohorts", "GQL_MAX_COHORTS"),
    ],
)
async def test_subscriptions_are_limited(limit: str, setting: str) -> None:
    """The one too many is refused, and takes no place; the others go on."""
    answers = Answers()
    live = _live(answers, replace(_LIMITS, **{limit: 1}))
    async with _subscribed(live) as events:
        await _next(events)
        for _ in range(2):
            async with _subscribed(live, OTHER) as refused:
                with pytest.raises(RequestError, match=setting) as raised:
                    await _next(refused)
                assert raised.value.codes == ("LIMIT_EXCEEDED",)
        assert (live.subscribers, live.cohorts) == (1, 1)
    async with _subscribed(live, OTHER) as events:
        await _next(events)


async def test_each_caller_has_the_places_of_its_own_subscriptions() -> None:
    """Callers who see the same data share a cohort, and give back their own places."""
    live = _live(Answers(), replace(_LIMITS, max_caller_subscriptions=1))
    one, other = (replace(ANONYMOUS, name=name) for name in ("one", "other"))
    async with _subscribed(live, caller=one) as kept:
        await _next(kept)
        for _ in range(2):
            async with _subscribed(live, caller=other) as events:
                await _next(events)
                assert live.cohorts == 1
        async with _subscribed(live, caller=one) as refused:
            with pytest.raises(RequestError, match="GQL_MAX_CALLER_SUBSCRIPTIONS"):
                await _next(refused)


async def test_answers_are_limited_together() -> None:
    """The subscription whose answer is too large ends with an error, and its place is free."""
    answers = Answers(b'{"data":"%b"}' % (b"x" * 60))
    live = _live(answers, replace(_LIMITS, max_live_bytes=100))
    async with _subscribed(live) as first:
        await _next(first)
        async with _subscribed(live, OTHER) as second:
            assert (await _next(second))["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
            with pytest.raises(StopAsyncIteration):
                await anext(second)
            assert live.cohorts == 1
    async with _subscribed(live, OTHER) as second:
        await _next(second)


async def test_interval_grows_with_the_calls_to_the_store() -> None:
    """An event says so."""
    answers = Answers()
    live = _live(answers, replace(_LIMITS, live_interval=0.001, max_live_calls=0.0001))
    async with _subscribed(live) as events:
        await _next(events)
        answers.body = b'{"data":2}'
        live.wake()
        seconds = OPERATION.planned.plan.reads / 0.0001 if OPERATION.planned else 0
        assert await _next(events) == {"data": 2, "extensions": {"live": {"intervalSeconds": seconds}}}


async def test_leaving_cancels_the_execution() -> None:
    """Nothing is read for nobody."""
    answers = Answers()
    live = _live(answers)
    answers.free.clear()
    events = live.events(OPERATION, ANONYMOUS)
    waiting = asyncio.create_task(anext(events))
    await asyncio.wait_for(answers.reading.wait(), _SECONDS)
    (cohort,) = live._cohorts.values()  # noqa: SLF001 - the execution has no other owner
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await events.aclose()
    assert cohort.task is not None
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(cohort.task, _SECONDS)
    assert (live.subscribers, live.cohorts) == (0, 0)


async def test_close_ends_all_subscriptions() -> None:
    """As when the server stops."""
    answers = Answers()
    live = _live(answers)
    async with _subscribed(live) as events:
        await _next(events)
        await live.close()
        with pytest.raises(StopAsyncIteration):
            await anext(events)
    assert (live.subscribers, live.cohorts) == (0, 0)
