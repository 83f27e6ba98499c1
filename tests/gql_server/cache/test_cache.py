"""Cache entries and their invalidation, over each backend."""

import asyncio
from typing import Any

import pytest

from gql_server.cache.cache import Cache
from gql_server.cache.factory import open_cache
from gql_server.cache.invalidation import MARK_KEYS, SHARED_SLOT, affected_slots, slot_of
from gql_server.cache.memory_backend import MemoryBackend
from gql_server.runtime.circuit_breaker import CircuitBreaker
from tests.gql_server.cache.conftest import CACHE_LIMITS, MAX_BYTES
from tests.support.clock import Clock

SLOT = slot_of("run")


async def put(cache: Cache, key: str, body: bytes, ttl: float = 60.0, slot: int = SLOT) -> None:
    """Read and write one entry."""
    await cache.write(await cache.read([key], [slot]), [(key, slot, body)], ttl)


async def get(cache: Cache, key: str, slot: int = SLOT) -> bytes | None:
    """Read one entry."""
    (entry,) = (await cache.read([key], [slot])).entries
    return None if entry is None else bytes(entry.body)


async def test_entries_are_returned_in_order_of_keys(cache: Cache) -> None:
    """Entries with any bytes are returned in the order of the keys, and None for a missing one."""
    await put(cache, "a", b"\x00\xff")
    await put(cache, "b", b"", slot=SHARED_SLOT)
    read = await cache.read(["b", "none", "a"], [SHARED_SLOT, SLOT, SLOT])
    assert [entry and bytes(entry.body) for entry in read.entries] == [b"", None, b"\x00\xff"]


async def test_thousand_entries_in_one_call(cache: Cache) -> None:
    """A thousand entries, more than one Redis command takes, are written and read in one call."""
    keys = [f"k{number}" for number in range(1000)]
    read = await cache.read(keys, [SLOT] * 1000)
    await cache.write(read, [(key, SLOT, key.encode() * 500) for key in keys], 60.0)
    entries = (await cache.read(keys, [SLOT] * 1000)).entries
    assert [entry and bytes(entry.body) for entry in entries] == [key.encode() * 500 for key in keys]


async def test_entry_has_age_and_remaining_ttl(cache: Cache) -> None:
    """The age and the remaining TTL of an entry add up to its TTL, if reading the store took no time."""
    await put(cache, "a", b"1", ttl=60.0)
    (entry,) = (await cache.read(["a"], [SLOT])).entries
    assert entry is not None
    assert 50.0 < entry.remaining <= 60.0
    assert entry.age == pytest.approx(60.0 - entry.remaining, abs=10.0)


async def test_age_counts_from_before_the_store_was_read() -> None:
    """Reading the store adds to the age and not to the TTL, and so does the age that the data had before."""
    clock = Clock()
    cache = Cache(MemoryBackend(MAX_BYTES, clock=clock), max_entry_bytes=1000, clock=clock)
    read = await cache.read(["a"], [SLOT])
    clock.now += 5.0
    await cache.write_one(read, "a", SLOT, b"1", 2.0, age=3.0)
    (entry,) = (await cache.read(["a"], [SLOT])).entries
    assert entry is not None
    assert (entry.age, entry.remaining) == (8.0, 2.0)
    clock.now += 2.0
    assert await get(cache, "a") is None


async def test_deleted_entries_are_missing(cache: Cache) -> None:
    """Entries of many keys are deleted at once; keys without an entry are ignored."""
    for key in ("a", "b", "c"):
        await put(cache, key, b"1")
    await cache.delete(["a", "c", *(f"absent{number}" for number in range(600))])
    assert [await get(cache, key) for key in ("a", "b", "c")] == [None, b"1", None]
    assert cache.circuit_breaker.failures == 0


async def test_entry_expires(cache: Cache) -> None:
    """An entry is missing after its TTL; with a TTL of 0 it is not written."""
    await put(cache, "short", b"1", ttl=5.0)
    await put(cache, "none", b"1", ttl=0.0)
    assert await get(cache, "short") == b"1"
    assert await get(cache, "none") is None
    await asyncio.sleep(5.1)
    assert await get(cache, "short") is None


async def test_entry_written_by_another_clock(clock: Clock) -> None:
    """Clocks of replicas differ: an entry expires by the reader's clock, and its age is not negative."""
    cache = Cache(MemoryBackend(MAX_BYTES), max_entry_bytes=100, clock=clock)
    await put(cache, "a", b"1", ttl=60.0)
    clock.now -= 30.0
    (entry,) = (await cache.read(["a"], [SLOT])).entries
    assert entry is not None
    assert (entry.age, entry.remaining) == (0.0, 60.0)
    clock.now += 90.0
    assert await get(cache, "a") is None


async def test_entry_above_size_limit_is_not_stored(cache: Cache) -> None:
    """An entry above the limit is not stored, and the others of the same call are."""
    read = await cache.read(["large", "small"], [SLOT, SLOT])
    await cache.write(read, [("large", SLOT, b"x" * 9_000_000), ("small", SLOT, b"s")], 60.0)
    assert [await get(cache, key) for key in ("large", "small")] == [None, b"s"]


async def test_marks_only_read_prepares_a_write(cache: Cache) -> None:
    """A read of marks alone returns no entry; an entry written after it replaces the former one."""
    await put(cache, "a", b"old")
    read = await cache.read(["a"], [SLOT], marks_only=True)
    assert read.entries == [None]
    await cache.write(read, [("a", SLOT, b"new")], 60.0)
    assert await get(cache, "a") == b"new"


async def test_invalidation_by_run(cache: Cache) -> None:
    """A write to a run invalidates its entries and shared ones, but not those of a run in another slot."""
    other = next(f"run{number}" for number in range(100) if slot_of(f"run{number}") != SLOT)
    for key, slot in (("run", SLOT), ("search", SHARED_SLOT), ("other run", slot_of(other))):
        await put(cache, key, b"1", slot=slot)
    await cache.invalidate(affected_slots(["run"]))
    assert await get(cache, "run") is None
    assert await get(cache, "search", SHARED_SLOT) is None
    assert await get(cache, "other run", slot_of(other)) == b"1"


async def test_read_before_invalidation_writes_no_valid_entry(cache: Cache) -> None:
    """A read from before an invalidation writes no valid entry and shares no flight with later reads."""
    before = await cache.read(["a"], [SLOT])
    await cache.invalidate(affected_slots(["run"]))
    after = await cache.read(["a"], [SLOT])
    await cache.write(before, [("a", SLOT, b"old")], 60.0)
    assert await get(cache, "a") is None
    assert before.flight_key("a", SLOT) != after.flight_key("a", SLOT)


async def test_lost_mark_invalidates_its_slot(cache: Cache) -> None:
    """When the backend loses a mark, the entries that carry it are invalid."""
    await put(cache, "a", b"1")
    await cache.backend.delete(MARK_KEYS[SLOT])
    assert await get(cache, "a") is None
    await put(cache, "a", b"2")
    assert await get(cache, "a") == b"2"


@pytest.mark.parametrize("value", [b"", b"short", b"x" * 100])
async def test_invalid_entry_is_a_miss(cache: Cache, value: bytes) -> None:
    """Bytes without a valid header are a miss."""
    await put(cache, "a", b"1")
    await cache.backend.set("a", value)
    assert await get(cache, "a") is None


async def test_invalid_mark_is_replaced(cache: Cache) -> None:
    """Bytes of another length under a mark's key are replaced by a mark."""
    await cache.backend.set(MARK_KEYS[SLOT], b"bad")
    await put(cache, "a", b"1")
    assert await get(cache, "a") == b"1"


@pytest.fixture
def _disabled_aiocache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable aiocache."""
    monkeypatch.setenv("AIOCACHE_DISABLE", "1")


@pytest.mark.usefixtures("_disabled_aiocache")
async def test_disabled_aiocache_is_an_empty_cache(cache: Cache) -> None:
    """With AIOCACHE_DISABLE aiocache returns an empty list, and each read is a miss."""
    await put(cache, "a", b"1")
    assert await get(cache, "a") is None
    assert cache.circuit_breaker.failures == 0


class Failing(MemoryBackend):
    """A backend that fails while `fails` is true."""

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


async def test_failing_backend_is_an_empty_cache(clock: Clock) -> None:
    """With a failing backend reads miss and writes do nothing; it is used again when it works."""
    backend = Failing(MAX_BYTES)
    cache = Cache(backend, max_entry_bytes=100)
    cache.circuit_breaker._clock = clock  # noqa: SLF001 - instead of a sleep
    await put(cache, "a", b"1")
    backend.fails = True
    assert await get(cache, "a") is None
    await put(cache, "a", b"2")
    backend.fails = False
    assert await get(cache, "a") is None
    clock.now += 2.0
    assert await get(cache, "a") == b"1"
    assert cache.circuit_breaker.failures == 1


async def test_invalidation_during_outage_takes_effect_later(clock: Clock) -> None:
    """An invalidation while the backend fails takes effect before the next read of an entry."""
    backend = Failing(MAX_BYTES)
    cache = Cache(backend, max_entry_bytes=100)
    cache.circuit_breaker._clock = clock  # noqa: SLF001 - instead of a sleep
    await put(cache, "a", b"1")
    backend.fails = True
    await cache.invalidate(affected_slots(["run"]))
    backend.fails = False
    clock.now += 2.0
    assert await get(cache, "a") is None
    await put(cache, "a", b"2")
    assert await get(cache, "a") == b"2"


async def test_failed_invalidation_stays_pending_beside_concurrent_one() -> None:
    """Of two concurrent invalidations of a slot, the one whose mark fails remains pending."""
    backend = Failing(MAX_BYTES)
    cache = Cache(backend, max_entry_bytes=100)
    cache.circuit_breaker = AlwaysClosed()
    await put(cache, "a", b"1")
    go_on = asyncio.Event()
    write = backend.multi_set

    async def slow(*arguments: Any, **named: Any) -> Any:
        await go_on.wait()
        return await write(*arguments, **named)

    backend.multi_set = slow  # type: ignore[method-assign]
    first = asyncio.ensure_future(cache.invalidate({SLOT}))
    await asyncio.sleep(0)
    backend.multi_set = Failing.multi_set.__get__(backend)  # type: ignore[method-assign]
    backend.fails = True
    await cache.invalidate({SLOT})
    backend.fails = False
    go_on.set()
    await first
    mark = await backend.get(MARK_KEYS[SLOT])
    await cache.read(["a"], [SLOT])
    assert await backend.get(MARK_KEYS[SLOT]) != mark


class AlwaysClosed(CircuitBreaker):
    """A circuit breaker that allows every call."""

    def allows_call(self) -> bool:
        """Return True."""
        return True


def test_other_url_schemes_are_rejected() -> None:
    """A URL that is not of Redis raises ValueError."""
    with pytest.raises(ValueError, match="redis://"):
        open_cache("memcached://host", "store", CACHE_LIMITS)
