"""Tests of the flights."""

import asyncio
from collections.abc import Sequence

import pytest

from gql_server.runtime.single_flight import SingleFlight
from schema.ports.errors import BadUserInput, StoreUnavailable


class Store:
    """Reads slowly: not before it is told to, or with an error; keeps what it was asked for."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.asked: list[list[str]] = []
        self.cancelled = 0
        self.go = asyncio.Event()
        self._error = error

    async def read(self, keys: Sequence[str]) -> list[str]:
        """Return the keys in capitals."""
        self.asked.append(list(keys))
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            # A thread that reads takes a while to stop.
            await asyncio.sleep(0.02)
            raise
        if self._error:
            raise self._error
        return [key.upper() for key in keys]


def _ask(flights: SingleFlight[str], store: Store, *keys: str) -> "asyncio.Task[list[str]]":
    async def read(places: Sequence[int]) -> list[str]:
        return await store.read([keys[place] for place in places])

    return asyncio.ensure_future(flights.share(keys, read))


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_many_who_ask_the_same_read_once() -> None:
    """Twenty who ask for one key at once cost one reading, and all get its answer."""
    flights, store = SingleFlight[str](), Store()
    asking = [_ask(flights, store, "a") for _ in range(20)]
    await _settle()
    store.go.set()
    assert await asyncio.gather(*asking) == [["A"]] * 20
    assert store.asked == [["a"]]
    assert len(flights) == 0


async def test_sets_that_overlap_read_only_what_is_not_on_its_way() -> None:
    """Who asks for more than is being read already reads the rest alone, and gets all in order."""
    flights, store = SingleFlight[str](), Store()
    asking = [
        _ask(flights, store, "a", "b"),
        _ask(flights, store, "c", "b", "d"),
        _ask(flights, store, "d", "a"),
    ]
    await _settle()
    store.go.set()
    assert await asyncio.gather(*asking) == [["A", "B"], ["C", "B", "D"], ["D", "A"]]
    assert store.asked == [["a", "b"], ["c", "d"]]


async def test_a_failure_is_for_all_who_wait() -> None:
    """Where the reading fails, all who wait get its error, and nobody reads again."""
    flights, store = SingleFlight[str](), Store(StoreUnavailable("down"))
    asking = [_ask(flights, store, "a") for _ in range(20)]
    await _settle()
    store.go.set()
    errors = await asyncio.gather(*asking, return_exceptions=True)
    assert [str(error) for error in errors] == ["down"] * 20
    assert store.asked == [["a"]]
    assert len(flights) == 0


async def test_a_failure_is_not_kept() -> None:
    """Who asks after a failure reads anew."""
    flights, store = SingleFlight[str](), Store(StoreUnavailable("down"))
    store.go.set()
    with pytest.raises(StoreUnavailable):
        await _ask(flights, store, "a")
    assert await _ask(flights, well := _ready(), "a") == ["A"]
    assert well.asked == [["a"]]


def _ready() -> Store:
    store = Store()
    store.go.set()
    return store


async def test_who_leaves_takes_nothing_from_the_others() -> None:
    """The one who asked first leaves: the reading goes on, and the others get its answer."""
    flights, store = SingleFlight[str](), Store()
    first, *others = [_ask(flights, store, "a") for _ in range(5)]
    await _settle()
    first.cancel()
    await _settle()
    store.go.set()
    assert await asyncio.gather(*others) == [["A"]] * 4
    assert first.cancelled()
    assert store.asked == [["a"]]
    assert store.cancelled == 0


async def test_what_nobody_waits_for_is_stopped() -> None:
    """When all have left, the reading is cancelled, and the next who asks starts another."""
    flights, store = SingleFlight[str](), Store()
    asking = [_ask(flights, store, "a") for _ in range(5)]
    await _settle()
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    # Before the cancelled reading had a chance to stop.
    again = _ask(flights, store, "a")
    await asyncio.sleep(0.05)
    assert store.cancelled == 1
    store.go.set()
    assert await again == ["A"]
    assert store.asked == [["a"], ["a"]]
    assert len(flights) == 0


async def test_a_fault_of_anothers_key_is_not_ones_own() -> None:
    """Who shares a reading with one whose id is bad reads again, once for all who ask the same."""
    flights, store = SingleFlight[str](personal=(BadUserInput,)), Store(BadUserInput("bad is no id"))
    bad = _ask(flights, store, "a", "bad")
    await _settle()
    well = _ready()
    good = [_ask(flights, well, "a") for _ in range(20)]
    await _settle()
    store.go.set()
    assert await asyncio.gather(*good) == [["A"]] * 20
    assert well.asked == [["a"]]
    with pytest.raises(BadUserInput):
        await bad


async def test_ones_own_fault_is_ones_own() -> None:
    """A fault of a key that one asked for oneself is raised, though it came from a shared reading."""
    flights, store = SingleFlight[str](personal=(BadUserInput,)), Store(BadUserInput("bad is no id"))
    asking = [_ask(flights, store, "bad"), _ask(flights, well := _ready(), "bad", "a")]
    await _settle()
    store.go.set()
    errors = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(error) for error in errors] == [BadUserInput] * 2
    assert well.asked == [["a"]]


async def test_a_reading_that_cancels_itself_cancels_nobody() -> None:
    """A reading cancelled from within is an error for those who wait, not a cancellation of theirs."""
    flights, store = SingleFlight[str](), Store(asyncio.CancelledError())
    asking = _ask(flights, store, "a")
    await _settle()
    store.go.set()
    with pytest.raises(RuntimeError, match="cancelled from within"):
        await asking


async def test_what_is_on_its_way_is_bounded() -> None:
    """Beyond the bound readings are not shared, and still answered."""
    flights, store = SingleFlight[str](most=2), Store()
    asking = [_ask(flights, store, *keys) for keys in (("a", "b"), ("c",), ("c",), ("a",))]
    await _settle()
    assert len(flights) == 2
    store.go.set()
    assert await asyncio.gather(*asking) == [["A", "B"], ["C"], ["C"], ["A"]]
    assert sorted(store.asked) == [["a", "b"], ["c"], ["c"]]
