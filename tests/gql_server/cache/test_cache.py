"""Tests of the cache as the layers use it, over each backend."""

import asyncio
from typing import Any

import pytest

from gql_server.cache.cache import Cache
from gql_server.cache.factory import open_cache
from gql_server.cache.invalidation import ANYTHING, NAMES, slot_of, slots_of
from gql_server.cache.memory_backend import MemoryBackend
from gql_server.runtime.circuit_breaker import CircuitBreaker
from tests.gql_server.cache.conftest import MOST_BYTES
from tests.support.clock import Clock

SLOT = slot_of("run")


async def put(cache: Cache, key: str, body: bytes, lifetime: float = 60.0, slot: int = SLOT) -> None:
    """Write one entry as the layers do."""
    await cache.write(await cache.read([key], [slot]), [(key, slot, body)], lifetime)


async def get(cache: Cache, key: str, slot: int = SLOT) -> bytes | None:
    """Read one entry."""
    (entry,) = (await cache.read([key], [slot])).entries
    return None if entry is None else bytes(entry.body)


async def test_what_is_written_is_read(cache: Cache) -> None:
    """Entries come back in the order of the keys, any bytes in them, with None where there is none."""
    await put(cache, "a", b"\x00\xff")
    await put(cache, "b", b"", slot=ANYTHING)
    reading = await cache.read(["b", "none", "a"], [ANYTHING, SLOT, SLOT])
    assert [entry and bytes(entry.body) for entry in reading.entries] == [b"", None, b"\x00\xff"]


async def test_many_entries_go_in_portions(cache: Cache) -> None:
    """A thousand entries of some size are written and read as one set."""
    keys = [f"k{number}" for number in range(1000)]
    reading = await cache.read(keys, [SLOT] * 1000)
    await cache.write(reading, [(key, SLOT, key.encode() * 500) for key in keys], 60.0)
    entries = (await cache.read(keys, [SLOT] * 1000)).entries
    assert [entry and bytes(entry.body) for entry in entries] == [key.encode() * 500 for key in keys]


async def test_an_entry_says_how_long_it_holds(cache: Cache) -> None:
    """What was written for a minute a moment ago holds for not quite a minute more."""
    await put(cache, "a", b"1", lifetime=60.0)
    (entry,) = (await cache.read(["a"], [SLOT])).entries
    assert entry is not None
    assert 50.0 < entry.left <= 60.0
    assert entry.age == pytest.approx(60.0 - entry.left)


async def test_an_entry_ends(cache: Cache) -> None:
    """What was written for a moment is gone after it; what has no time is not written at all."""
    await put(cache, "short", b"1", lifetime=5.0)
    await put(cache, "none", b"1", lifetime=0.0)
    assert await get(cache, "short") == b"1"
    assert await get(cache, "none") is None
    await asyncio.sleep(5.1)
    assert await get(cache, "short") is None


async def test_an_entry_of_a_slow_clock_ends_by_this_one(clock: Clock) -> None:
    """Replicas' clocks differ: an entry too old by this clock is not used, and none is younger than now."""
    cache = Cache(MemoryBackend(MOST_BYTES), most_entry_bytes=100, clock=clock)
    await put(cache, "a", b"1", lifetime=60.0)
    clock.now -= 30.0
    (entry,) = (await cache.read(["a"], [SLOT])).entries
    assert entry is not None
    assert (entry.age, entry.left) == (0.0, 60.0)
    clock.now += 90.0
    assert await get(cache, "a") is None


async def test_a_large_entry_is_not_kept(cache: Cache) -> None:
    """An entry above the bound of one entry is left out, and the others of its set are kept."""
    reading = await cache.read(["large", "small"], [SLOT, SLOT])
    await cache.write(reading, [("large", SLOT, b"x" * 9_000_000), ("small", SLOT, b"s")], 60.0)
    assert [await get(cache, key) for key in ("large", "small")] == [None, b"s"]


async def test_fresh_reads_nothing_and_writes(cache: Cache) -> None:
    """A fresh reading sees no entry, and what is written after it replaces what was there."""
    await put(cache, "a", b"old")
    reading = await cache.read(["a"], [SLOT], fresh=True)
    assert reading.entries == [None]
    await cache.write(reading, [("a", SLOT, b"new")], 60.0)
    assert await get(cache, "a") == b"new"


async def test_what_is_forgotten_is_gone(cache: Cache) -> None:
    """A change to one run ends its entries and those of any search, and leaves other runs' alone."""
    other = next(f"run{number}" for number in range(100) if slot_of(f"run{number}") != SLOT)
    for key, slot in (("own", SLOT), ("search", ANYTHING), ("other", slot_of(other))):
        await put(cache, key, b"1", slot=slot)
    await cache.forget(slots_of(["run"]))
    assert await get(cache, "own") is None
    assert await get(cache, "search", ANYTHING) is None
    assert await get(cache, "other", slot_of(other)) == b"1"


async def test_what_was_read_before_a_change_is_not_written_after_it(cache: Cache) -> None:
    """A reading under way while something changes leaves nothing behind, and is not joined after it."""
    before = await cache.read(["a"], [SLOT])
    await cache.forget(slots_of(["run"]))
    after = await cache.read(["a"], [SLOT])
    await cache.write(before, [("a", SLOT, b"old")], 60.0)
    assert await get(cache, "a") is None
    assert before.flight("a", SLOT) != after.flight("a", SLOT)


async def test_a_lost_mark_ends_what_it_stood_for(cache: Cache) -> None:
    """Where the backend drops a mark, entries that carry it count no more, changed or not."""
    await put(cache, "a", b"1")
    await cache.backend.delete(NAMES[SLOT])
    assert await get(cache, "a") is None
    await put(cache, "a", b"2")
    assert await get(cache, "a") == b"2"


@pytest.mark.parametrize("value", [b"", b"short", b"x" * 100])
async def test_other_bytes_are_no_entry(cache: Cache, value: bytes) -> None:
    """Bytes under an entry's key that no cache of this kind wrote are a miss."""
    await put(cache, "a", b"1")
    await cache.backend.set("a", value)
    assert await get(cache, "a") is None


async def test_a_bad_mark_is_replaced(cache: Cache) -> None:
    """Bytes in a mark's place that are no mark are replaced by one."""
    await cache.backend.set(NAMES[SLOT], b"bad")
    await put(cache, "a", b"1")
    assert await get(cache, "a") == b"1"


async def test_a_disabled_aiocache_is_an_empty_one(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """With AIOCACHE_DISABLE, where aiocache answers with an empty list, there is just nothing."""
    monkeypatch.setenv("AIOCACHE_DISABLE", "1")
    await put(cache, "a", b"1")
    assert await get(cache, "a") is None
    assert cache.circuit.failures == 0


class Failing(MemoryBackend):
    """A backend that fails when told to."""

    fails = False

    async def multi_get(self, *arguments: Any, **named: Any) -> Any:
        """Read, or fail."""
        if self.fails:
            raise OSError
        return await super().multi_get(*arguments, **named)

    async def multi_set(self, *arguments: Any, **named: Any) -> Any:
        """Write, or fail."""
        if self.fails:
            raise OSError
        return await super().multi_set(*arguments, **named)


async def test_a_backend_that_fails_is_an_empty_one(clock: Clock) -> None:
    """A failing backend has nothing and takes nothing, and is used again once it works."""
    backend = Failing(MOST_BYTES)
    cache = Cache(backend, most_entry_bytes=100)
    cache.circuit._clock = clock  # noqa: SLF001 - rather than to wait
    await put(cache, "a", b"1")
    backend.fails = True
    assert await get(cache, "a") is None
    await put(cache, "a", b"2")
    backend.fails = False
    assert await get(cache, "a") is None
    clock.now += 2.0
    assert await get(cache, "a") == b"1"
    assert cache.circuit.failures == 1


async def test_a_change_during_an_outage_is_not_forgotten(clock: Clock) -> None:
    """What changed while the cache was away is ended before anything is read of it again."""
    backend = Failing(MOST_BYTES)
    cache = Cache(backend, most_entry_bytes=100)
    cache.circuit._clock = clock  # noqa: SLF001 - rather than to wait
    await put(cache, "a", b"1")
    backend.fails = True
    await cache.forget(slots_of(["run"]))
    backend.fails = False
    clock.now += 2.0
    assert await get(cache, "a") is None
    await put(cache, "a", b"2")
    assert await get(cache, "a") == b"2"


async def test_a_change_while_another_is_marked_is_not_forgotten() -> None:
    """Of two changes to one run at once, the one whose mark fails stays owed though the other's succeeds."""
    backend = Failing(MOST_BYTES)
    cache = Cache(backend, most_entry_bytes=100)
    cache.circuit = Open()
    await put(cache, "a", b"1")
    went = asyncio.Event()
    write = backend.multi_set

    async def slow(*arguments: Any, **named: Any) -> Any:
        await went.wait()
        return await write(*arguments, **named)

    backend.multi_set = slow  # type: ignore[method-assign]
    first = asyncio.ensure_future(cache.forget({SLOT}))
    await asyncio.sleep(0)
    backend.multi_set = Failing.multi_set.__get__(backend)  # type: ignore[method-assign]
    backend.fails = True
    await cache.forget({SLOT})
    backend.fails = False
    went.set()
    await first
    marked = await backend.get(NAMES[SLOT])
    await cache.read(["a"], [SLOT])
    assert await backend.get(NAMES[SLOT]) != marked


class Open(CircuitBreaker):
    """A circuit that lets everybody through."""

    def allows_call(self) -> bool:
        """Say yes."""
        return True


def test_a_url_of_something_else_is_refused() -> None:
    """Only Redis can be named, and a mistyped URL is said before anything is served."""
    with pytest.raises(ValueError, match="redis://"):
        open_cache("memcached://host", "store", most_bytes=1, timeout=1.0)
