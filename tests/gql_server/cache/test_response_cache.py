"""Tests of the answers layer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gql_server.cache.cache import Cache
from gql_server.cache.cache_control import CacheControl, parse_cache_control
from gql_server.cache.invalidation import slots_of
from gql_server.cache.memory_backend import MemoryBackend
from gql_server.cache.response_cache import CachedResponse, ComputedResponse, ResponseCache, response_key
from schema.ports.errors import StoreUnavailable
from tests.gql_server.cache.conftest import MOST_BYTES

KEY = response_key("{ a }", None, {}, None)


class Runs:
    """Makes answers and counts them."""

    def __init__(self, lifetime: float = 60.0) -> None:
        self.count = 0
        self.go = asyncio.Event()
        self.go.set()
        self._more = asyncio.Event()
        self._lifetime = lifetime

    async def __call__(self) -> ComputedResponse:
        """Make the next answer."""
        self.count += 1
        self._more.set()
        number = self.count
        await self.go.wait()
        return ComputedResponse(b"%d" % number, self._lifetime)

    async def begun(self, count: int) -> None:
        """Return when so many have begun, however late the cache said that there is no answer."""
        async with asyncio.timeout(20):
            while self.count < count:
                await self._more.wait()
                self._more.clear()


async def missed(cache: Cache, count: int) -> None:
    """Return when so many have found no answer, and so wait for one, however late the cache told them."""
    async with asyncio.timeout(20):
        while cache.counts.answers.misses < count:  # noqa: ASYNC110 - the counts tell nobody
            await asyncio.sleep(0.01)


async def respond(
    responses: ResponseCache,
    compute: Callable[[], Awaitable[ComputedResponse]],
    cache_control: CacheControl = CacheControl.ANY,
) -> CachedResponse:
    """Return the response to a request, as the endpoint does."""
    return await responses.get_or_compute(await responses.lookup(KEY, cache_control), compute)


def _body(answer: CachedResponse) -> bytes:
    return bytes(answer.body)


async def test_the_same_question_runs_once(cache: Cache) -> None:
    """An answer that is kept is sent again, with its age; the first one has none."""
    answers, run = ResponseCache(cache), Runs()
    first = await respond(answers, run)
    again = await respond(answers, run)
    assert (first.body, first.age) == (b"1", None)
    assert (_body(again), run.count) == (b"1", 1)
    assert again.age is not None
    assert 0.0 <= again.age < 30.0
    assert (cache.counts.answers.hits, cache.counts.answers.misses) == (1, 1)


async def test_what_does_not_hold_is_not_kept(cache: Cache) -> None:
    """An answer with no lifetime, as one with errors, is made each time."""
    answers, run = ResponseCache(cache), Runs(lifetime=0.0)
    assert [_body(await respond(answers, run)) for _ in range(2)] == [b"1", b"2"]


async def test_no_cache_reads_nothing_and_keeps(cache: Cache) -> None:
    """Who wants a new answer gets one, and it is what others then get."""
    answers, run = ResponseCache(cache), Runs()
    uses = [CacheControl.ANY, CacheControl.NEW, CacheControl.ANY]
    assert [_body(await respond(answers, run, use)) for use in uses] == [b"1", b"2", b"2"]


async def test_no_store_reads_nothing_and_keeps_nothing(cache: Cache) -> None:
    """Who wants nothing kept gets a new answer, and others get the one from before it."""
    answers, run = ResponseCache(cache), Runs()
    uses = [CacheControl.UNKEPT, CacheControl.ANY, CacheControl.UNKEPT, CacheControl.ANY]
    bodies = [_body(await respond(answers, run, use)) for use in uses]
    assert bodies == [b"1", b"2", b"3", b"2"]


async def test_requests_at_once_share_a_run(cache: Cache) -> None:
    """Twenty equal requests at once run once; one that wants a new answer runs for itself."""
    answers, run = ResponseCache(cache), Runs()
    run.go.clear()
    asking = [asyncio.ensure_future(respond(answers, run)) for _ in range(20)]
    new = asyncio.ensure_future(respond(answers, run, CacheControl.NEW))
    await run.begun(2)
    await missed(cache, 21)
    run.go.set()
    assert {_body(answer) for answer in await asyncio.gather(*asking)} <= {b"1", b"2"}
    assert run.count == 2
    assert (await new).age is None


class Late(MemoryBackend):
    """A backend whose answers take their time to arrive once it is told to be late."""

    arrives: asyncio.Event | None = None

    def __init__(self, most_bytes: int) -> None:
        super().__init__(most_bytes)
        self.has_read = asyncio.Event()

    async def multi_get(self, *arguments: Any, **named: Any) -> Any:
        """Read now, and say so later."""
        found = await super().multi_get(*arguments, **named)
        if self.arrives:
            self.has_read.set()
            await self.arrives.wait()
        return found


async def test_an_answer_that_was_kept_meanwhile_is_found() -> None:
    """Who was told that there is no answer just before it was kept does not make another."""
    backend = Late(MOST_BYTES)
    answers, run = ResponseCache(Cache(backend, most_entry_bytes=1000)), Runs()
    run.go.clear()
    first = asyncio.ensure_future(respond(answers, run))
    await run.begun(1)
    arrives = backend.arrives = asyncio.Event()
    late = asyncio.ensure_future(respond(answers, run))
    await backend.has_read.wait()
    run.go.set()
    assert _body(await first) == b"1"
    arrives.set()
    assert (_body(await late), run.count) == (b"1", 1)


async def test_a_client_that_leaves_stops_only_its_own(cache: Cache) -> None:
    """The request that came first is cancelled: the others get the answer that it started."""
    answers, run = ResponseCache(cache), Runs()
    run.go.clear()
    first, *others = [asyncio.ensure_future(respond(answers, run)) for _ in range(5)]
    await missed(cache, 5)
    first.cancel()
    await asyncio.sleep(0)
    run.go.set()
    assert [_body(answer) for answer in await asyncio.gather(*others)] == [b"1"] * 4


async def test_a_run_that_fails_fails_for_all_and_is_not_kept(cache: Cache) -> None:
    """An error reaches all who wait for the run, and the next request runs anew."""
    answers = ResponseCache(cache)

    async def fail() -> ComputedResponse:
        await asyncio.sleep(0.01)
        raise StoreUnavailable

    asking = [respond(answers, fail) for _ in range(5)]
    errors = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(error) for error in errors] == [StoreUnavailable] * 5
    assert _body(await respond(answers, Runs())) == b"1"


async def test_a_change_ends_all_answers(cache: Cache) -> None:
    """After a change to any run no answer from before it is sent, not even one that was on its way."""
    answers, run = ResponseCache(cache), Runs()
    await respond(answers, run)
    await cache.forget(slots_of(["run"]))
    run.go.clear()
    under_way = asyncio.ensure_future(respond(answers, run))
    await run.begun(2)
    await cache.forget(slots_of(["another"]))
    after = asyncio.ensure_future(respond(answers, run))
    await run.begun(3)
    run.go.set()
    assert (_body(await under_way), _body(await after)) == (b"2", b"3")
    assert _body(await respond(answers, run)) == b"3"


def test_a_key_holds_all_that_an_answer_depends_on() -> None:
    """Document, operation, variables and caller each make another key; the order of variables does not."""
    keys = [
        KEY,
        response_key("{ b }", None, {}, None),
        response_key("{ a }", "a", {}, None),
        response_key("{ a }", None, {"a": 1}, None),
        response_key("{ a }", None, {"a": "1"}, None),
        response_key("{ a }", None, {"a": None}, None),
        response_key("{ a }", None, {}, "one"),
        response_key("{ a }", None, {}, "other"),
    ]
    assert len(set(keys)) == len(keys)
    one = response_key("{ a }", None, {"a": 1, "b": {"c": 2, "d": 3}}, None)
    assert one == response_key("{ a }", None, {"b": {"d": 3, "c": 2}, "a": 1}, None)


@pytest.mark.parametrize(
    ("header", "use"),
    [
        ("", CacheControl.ANY),
        ("max-age=5, only-if-cached", CacheControl.ANY),
        ("no-cache", CacheControl.NEW),
        ("Max-Age=0", CacheControl.NEW),
        ("no-cache, no-store", CacheControl.UNKEPT),
        ("private,NO-STORE", CacheControl.UNKEPT),
    ],
)
def test_the_request_says_how_fresh(header: str, use: CacheControl) -> None:
    """Cache-Control of a request is understood as browsers send it."""
    assert parse_cache_control(header) is use
