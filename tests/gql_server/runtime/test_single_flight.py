"""Single flight: concurrent requests for a key share one call."""

import asyncio
from collections.abc import Sequence

import pytest

from gql_server.runtime.single_flight import SingleFlight
from schema.ports.errors import BadUserInput, StoreUnavailable


class Store:
    """Returns or raises when `go` is set, and records the keys of each call."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.calls: list[list[str]] = []
        self.cancelled = 0
        self.released = asyncio.Event()
        self._error = error

    async def read(self, keys: Sequence[str]) -> list[str]:
        """Return the keys in upper case."""
        self.calls.append(list(keys))
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            # A thread takes a while to stop.
            await asyncio.sleep(0.02)
            raise
        if self._error:
            raise self._error
        return [key.upper() for key in keys]


def _load(flight: SingleFlight[str], store: Store, *keys: str) -> "asyncio.Task[list[str]]":
    async def call(indexes: Sequence[int]) -> list[str]:
        return await store.read([keys[index] for index in indexes])

    return asyncio.ensure_future(flight.load(keys, call))


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_concurrent_loads_of_a_key_share_one_call() -> None:
    """Twenty concurrent loads of one key cause one call, and all return its value."""
    flight, store = SingleFlight[str](), Store()
    loads = [_load(flight, store, "a") for _ in range(20)]
    await _settle()
    store.released.set()
    assert await asyncio.gather(*loads) == [["A"]] * 20
    assert store.calls == [["a"]]
    assert len(flight) == 0


async def test_overlapping_loads_call_for_missing_keys_only() -> None:
    """A load calls only for keys that are not in flight, and returns all values in order."""
    flight, store = SingleFlight[str](), Store()
    loads = [
        _load(flight, store, "a", "b"),
        _load(flight, store, "c", "b", "d"),
        _load(flight, store, "d", "a"),
    ]
    await _settle()
    store.released.set()
    assert await asyncio.gather(*loads) == [["A", "B"], ["C", "B", "D"], ["D", "A"]]
    assert store.calls == [["a", "b"], ["c", "d"]]


async def test_error_reaches_all_callers() -> None:
    """If the call fails, all callers get its error and none calls again."""
    flight, store = SingleFlight[str](), Store(StoreUnavailable("down"))
    loads = [_load(flight, store, "a") for _ in range(20)]
    await _settle()
    store.released.set()
    errors = await asyncio.gather(*loads, return_exceptions=True)
    assert [str(error) for error in errors] == ["down"] * 20
    assert store.calls == [["a"]]
    assert len(flight) == 0


async def test_error_is_not_cached() -> None:
    """A load after a failed one calls again."""
    flight, store = SingleFlight[str](), Store(StoreUnavailable("down"))
    store.released.set()
    with pytest.raises(StoreUnavailable):
        await _load(flight, store, "a")
    assert await _load(flight, other := _ready(), "a") == ["A"]
    assert other.calls == [["a"]]


def _ready() -> Store:
    store = Store()
    store.released.set()
    return store


async def test_cancelled_caller_does_not_affect_others() -> None:
    """When the first caller is cancelled, the call continues and the other callers get its value."""
    flight, store = SingleFlight[str](), Store()
    first, *others = [_load(flight, store, "a") for _ in range(5)]
    await _settle()
    first.cancel()
    await _settle()
    store.released.set()
    assert await asyncio.gather(*others) == [["A"]] * 4
    assert first.cancelled()
    assert store.calls == [["a"]]
    assert store.cancelled == 0


async def test_call_without_callers_is_cancelled() -> None:
    """When all callers are cancelled, so is the call, and the next load starts another."""
    flight, store = SingleFlight[str](), Store()
    loads = [_load(flight, store, "a") for _ in range(5)]
    await _settle()
    for task in loads:
        task.cancel()
    await asyncio.gather(*loads, return_exceptions=True)
    # Before the cancelled call has stopped.
    again = _load(flight, store, "a")
    await asyncio.sleep(0.05)
    assert store.cancelled == 1
    store.released.set()
    assert await again == ["A"]
    assert store.calls == [["a"], ["a"]]
    assert len(flight) == 0


async def test_error_of_foreign_key_is_retried() -> None:
    """Callers that shared a call with an invalid key load their own keys again, in one call."""
    flight, store = SingleFlight[str](key_errors=(BadUserInput,)), Store(BadUserInput("bad is not an id"))
    bad = _load(flight, store, "a", "bad")
    await _settle()
    other = _ready()
    good = [_load(flight, other, "a") for _ in range(20)]
    await _settle()
    store.released.set()
    assert await asyncio.gather(*good) == [["A"]] * 20
    assert other.calls == [["a"]]
    with pytest.raises(BadUserInput):
        await bad


async def test_error_of_own_key_is_raised() -> None:
    """An error about a caller's own key is raised, though it came from a shared call."""
    flight, store = SingleFlight[str](key_errors=(BadUserInput,)), Store(BadUserInput("bad is not an id"))
    loads = [_load(flight, store, "bad"), _load(flight, other := _ready(), "bad", "a")]
    await _settle()
    store.released.set()
    errors = await asyncio.gather(*loads, return_exceptions=True)
    assert [type(error) for error in errors] == [BadUserInput] * 2
    assert other.calls == [["a"]]


async def test_call_that_cancels_itself_raises_an_error() -> None:
    """Callers of a call that cancels itself get an error and are not cancelled themselves."""
    flight, store = SingleFlight[str](), Store(asyncio.CancelledError())
    loads = _load(flight, store, "a")
    await _settle()
    store.released.set()
    with pytest.raises(RuntimeError, match="cancelled itself"):
        await loads


async def test_keys_in_flight_are_limited() -> None:
    """Calls beyond the limit are not shared but return values."""
    flight, store = SingleFlight[str](max_keys=2), Store()
    loads = [_load(flight, store, *keys) for keys in (("a", "b"), ("c",), ("c",), ("a",))]
    await _settle()
    assert len(flight) == 2
    store.released.set()
    assert await asyncio.gather(*loads) == [["A", "B"], ["C"], ["C"], ["A"]]
    assert sorted(store.calls) == [["a", "b"], ["c"], ["c"]]
