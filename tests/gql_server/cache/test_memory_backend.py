"""Tests of the backend in memory."""

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
    """What the backend should hold: the least used first, with deadlines."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.kept: dict[str, tuple[float | None, bytes]] = {}

    def size(self) -> int:
        """Return the bytes of all entries."""
        return sum(self.size_of(key, value) for key, (_, value) in self.kept.items())

    @staticmethod
    def size_of(key: str, value: bytes) -> int:
        """Return the bytes of one entry."""
        return ENTRY_OVERHEAD + len(value) + (1 if key.isascii() else 4)

    def set(self, key: str, value: bytes, deadline: float | None) -> None:
        """Write an entry."""
        self.kept.pop(key, None)
        if self.size_of(key, value) > self.most_bytes:
            return
        self.kept[key] = deadline, value
        while self.size() > self.most_bytes:
            del self.kept[next(iter(self.kept))]

    def get(self, key: str, now: float) -> bytes | None:
        """Read an entry."""
        if key not in self.kept:
            return None
        deadline, value = self.kept.pop(key)
        if deadline is not None and deadline <= now:
            return None
        self.kept[key] = deadline, value
        return value


@settings(deadline=None)
@given(st.integers(400, 4000), st.lists(_STEP, max_size=40))
def test_the_bound_and_the_order_hold(
    most_bytes: int, steps: list[tuple[str, str, int, float | None]]
) -> None:
    """Whatever is written, read, deleted or ends: the bytes are counted right, and the least used goes."""

    async def check() -> None:
        clock = Clock()
        cache, model = MemoryBackend(most_bytes, clock=clock), Model(most_bytes)
        for step, key, number, ttl in steps:
            if step == "set":
                await cache.set(key, b"x" * number, ttl=ttl)
                model.set(key, b"x" * number, None if ttl is None else clock.now + ttl)
            elif step == "get":
                assert await cache.get(key) == model.get(key, clock.now)
            elif step == "delete":
                assert await cache.delete(key) == (model.kept.pop(key, None) is not None)
            else:
                clock.now += number
            assert cache.bytes == model.size() <= most_bytes
            assert len(cache) == len(model.kept)

    asyncio.run(check())


async def test_the_bound_is_of_real_memory() -> None:
    """A full cache of small entries takes no more of Python's memory than its bound."""
    most_bytes = 2_000_000
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        cache = MemoryBackend(most_bytes)
        for number in range(10_000):
            await cache.set(f"params:{number:032x}", b"%064d" % number, ttl=60.0)
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert cache.evicted > 0
    assert taken <= most_bytes


async def test_an_entry_above_the_bound_is_not_kept() -> None:
    """What is larger than the whole cache drives nothing out, and does not leave its former value behind."""
    cache = MemoryBackend(2000)
    await cache.multi_set([("small", b"s"), ("large", b"l")])
    await cache.set("large", b"l" * 2000)
    assert await cache.multi_get(["small", "large"]) == [b"s", None]


async def test_the_entries_of_one_call_end_together(clock: Clock) -> None:
    """An entry is there until its time is over, and then it is not; writing it again starts anew."""
    cache = MemoryBackend(10_000, clock=clock)
    await cache.multi_set([("a", b"1"), ("b", b"2")], ttl=2.0)
    clock.now += 1.5
    await cache.set("b", b"3", ttl=2.0)
    assert await cache.multi_get(["a", "b"]) == [b"1", b"3"]
    clock.now += 0.5
    assert await cache.multi_get(["a", "b"]) == [None, b"3"]
    assert not await cache.exists("a")
    assert await cache.exists("b")


async def test_no_timer_is_left() -> None:
    """Entries that end set no timers, as aiocache's own do, which outlive what they were set for."""
    cache = MemoryBackend(10_000)
    await cache.set("a", b"1", ttl=60.0)
    assert not cache_timers()


def cache_timers() -> list[object]:
    """Return the timers of the running loop."""
    return list(asyncio.get_running_loop()._scheduled)  # type: ignore[attr-defined]  # noqa: SLF001


async def test_only_bytes_are_kept() -> None:
    """A value that could change after it was written is refused."""
    with pytest.raises(TypeError, match="bytes, not list"):
        await MemoryBackend(1000).set("a", [1])


async def test_clear_is_refused() -> None:
    """Nothing here empties a cache that others may use too."""
    with pytest.raises(NotImplementedError):
        await MemoryBackend(1000).clear()
