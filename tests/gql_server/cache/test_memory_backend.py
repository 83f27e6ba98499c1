"""The cache backend in memory."""

import asyncio
import gc
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.cache.memory_backend import ENTRY_OVERHEAD, MemoryBackend
from tests.support.clock import Clock

_KEYS = ("a", "b", "c", "d", "é")
_STEP = st.one_of(
    st.tuples(
        st.just("set"), st.sampled_from(_KEYS), st.integers(0, 1500), st.sampled_from([None, 1.0, 5.0])
    ),
    st.tuples(st.just("get"), st.sampled_from(_KEYS), st.just(0), st.none()),
    st.tuples(st.just("delete"), st.sampled_from(_KEYS), st.just(0), st.none()),
    st.tuples(st.just("wait"), st.just(""), st.integers(1, 3), st.none()),
)


class Model:
    """The expected entries with their deadlines, the least recently used first."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.entries: dict[str, tuple[float | None, bytes]] = {}

    def size(self) -> int:
        """Return the bytes of all entries."""
        return sum(self.size_of(key, value) for key, (_, value) in self.entries.items())

    @staticmethod
    def size_of(key: str, value: bytes) -> int:
        """Return the bytes of one entry."""
        return ENTRY_OVERHEAD + len(value) + (1 if key.isascii() else 4)

    def set(self, key: str, value: bytes, deadline: float | None) -> None:
        """Write an entry."""
        self.entries.pop(key, None)
        if self.size_of(key, value) > self.max_bytes:
            return
        self.entries[key] = deadline, value
        while self.size() > self.max_bytes:
            del self.entries[next(iter(self.entries))]

    def get(self, key: str, now: float) -> bytes | None:
        """Read an entry."""
        if key not in self.entries:
            return None
        deadline, value = self.entries.pop(key)
        if deadline is not None and deadline <= now:
            return None
        self.entries[key] = deadline, value
        return value


@settings(deadline=None)
@given(st.integers(400, 4000), st.lists(_STEP, max_size=40))
def test_size_limit_and_eviction_order(
    max_bytes: int, steps: list[tuple[str, str, int, float | None]]
) -> None:
    """After any operations the size is correct, and the least recently used entries are evicted."""

    async def check() -> None:
        clock = Clock()
        cache, model = MemoryBackend(max_bytes, clock=clock), Model(max_bytes)
        for step, key, number, ttl in steps:
            if step == "set":
                await cache.set(key, b"x" * number, ttl=ttl)
                model.set(key, b"x" * number, None if ttl is None else clock.now + ttl)
            elif step == "get":
                assert await cache.get(key) == model.get(key, clock.now)
            elif step == "delete":
                assert await cache.delete(key) == (model.entries.pop(key, None) is not None)
            else:
                clock.now += number
            assert cache.bytes_used == model.size() <= max_bytes
            assert len(cache) == len(model.entries)

    asyncio.run(check())


async def test_limit_covers_real_memory() -> None:
    """A full cache of small entries uses no more memory than its limit."""
    max_bytes = 2_000_000
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        cache = MemoryBackend(max_bytes)
        for number in range(10_000):
            await cache.set(f"params:{number:032x}", b"%064d" % number, ttl=60.0)
        gc.collect()
        allocated = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(cache) < 10_000
    assert allocated <= max_bytes


async def test_entry_above_limit_is_not_stored() -> None:
    """A value larger than the cache evicts no other entry, and removes its key's former value."""
    cache = MemoryBackend(2000)
    await cache.multi_set([("small", b"s"), ("large", b"l")])
    await cache.set("large", b"l" * 2000)
    assert await cache.multi_get(["small", "large"]) == [b"s", None]


async def test_entries_expire_at_their_deadline(clock: Clock) -> None:
    """An entry expires when its TTL has passed since it was last written."""
    cache = MemoryBackend(10_000, clock=clock)
    await cache.multi_set([("a", b"1"), ("b", b"2")], ttl=2.0)
    clock.now += 1.5
    await cache.set("b", b"3", ttl=2.0)
    assert await cache.multi_get(["a", "b"]) == [b"1", b"3"]
    clock.now += 0.5
    assert await cache.multi_get(["a", "b"]) == [None, b"3"]
    assert not await cache.exists("a")
    assert await cache.exists("b")


async def test_expiry_uses_no_timers() -> None:
    """Entries with a TTL set no timers; those of aiocache's own backend outlive the entries."""
    cache = MemoryBackend(10_000)
    await cache.set("a", b"1", ttl=60.0)
    assert not _timers()


def _timers() -> list[object]:
    """Return the timers of the running loop."""
    return list(asyncio.get_running_loop()._scheduled)  # type: ignore[attr-defined]  # noqa: SLF001


async def test_values_other_than_bytes_are_rejected() -> None:
    """A mutable value raises TypeError."""
    with pytest.raises(TypeError, match="bytes, not list"):
        await MemoryBackend(1000).set("a", [1])


async def test_clear_is_not_supported() -> None:
    """`clear` raises NotImplementedError, as in Redis, where other servers use the database."""
    with pytest.raises(NotImplementedError):
        await MemoryBackend(1000).clear()
