"""The export spool: how long files are reused, how many there are, and what happens when writing fails."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest

from gql_server.config.settings import Settings
from gql_server.exports import export_file
from gql_server.exports.export_file import ExportFile
from gql_server.exports.export_spool import RECENT_SECONDS, ExportSpool
from schema.ports.errors import LimitExceeded, StoreUnavailable
from tests.support.waiting import wait_until


class MonotonicClock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


class Writer:
    """Writes files of `size` bytes, or fails with `error`; counts them, and can be made slow."""

    def __init__(self, spool: ExportSpool, clock: MonotonicClock) -> None:
        self.count = 0
        self.seconds = 0.0
        self.size = 10
        self.may_finish = asyncio.Event()
        self.may_finish.set()
        self.error: Exception | None = None
        self._spool = spool
        self._clock = clock

    async def __call__(self, file: ExportFile) -> None:
        """Write a file whose bytes are its number."""
        self.count += 1
        file.path.write_bytes(bytes([self.count]) * self.size)
        self._spool.update_size(file)
        await self.may_finish.wait()
        self._clock.now += self.seconds
        if self.error:
            raise self.error

    async def use(self, key: str = "a", *, refresh: bool = False, resume: bool = False) -> int:
        """Acquire and release a file, and return its number."""
        file = await self._spool.acquire(key, self, refresh=refresh, resume=resume)
        number = file.path.read_bytes()[0]
        self._spool.release(file)
        return number


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> MonotonicClock:
    """Give the clock of the files."""
    clock = MonotonicClock()
    monkeypatch.setattr(export_file, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def spool() -> Iterator[ExportSpool]:
    """Give a spool of two files and a hundred bytes that reuses a file for a minute."""
    limits = replace(
        Settings(tracking_uri="unused:").limits.exports,
        table_file_seconds=60,
        max_table_files=2,
        table_spool_bytes=100,
    )
    spool = ExportSpool(limits)
    yield spool
    spool.close()


@pytest.fixture
def writer(spool: ExportSpool, clock: MonotonicClock) -> Writer:
    """Give a writer of files."""
    return Writer(spool, clock)


async def test_slow_file_is_reused_from_its_completion(writer: Writer) -> None:
    """The time for which a file is reused starts when it is complete, however long writing took."""
    writer.seconds = 100
    assert [await writer.use() for _ in range(4)] == [1] * 4


async def test_file_in_constant_use_expires(writer: Writer, clock: MonotonicClock) -> None:
    """A file is reused within a minute of its last use, and for at most five minutes."""
    numbers = []
    for _ in range(8):
        numbers.append(await writer.use())
        clock.now += 50
    assert numbers == [1] * 7 + [2]
    clock.now += 61
    assert await writer.use() == 3


async def test_new_downloads_get_new_file_after_invalidation(writer: Writer, spool: ExportSpool) -> None:
    """After `invalidate` or with `refresh` a new file is written; a resumed download gets the old one."""
    assert await writer.use() == 1
    spool.invalidate()
    assert await writer.use(resume=True) == 1
    assert await writer.use() == 2
    assert await writer.use(refresh=True, resume=True) == 2
    assert await writer.use(refresh=True) == 3
    assert await writer.use(resume=True) == 3


async def test_invalidation_applies_to_file_being_written(writer: Writer, spool: ExportSpool) -> None:
    """A request after a change does not get a file whose writing began before the change."""
    writer.may_finish.clear()
    early = asyncio.create_task(writer.use())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    spool.invalidate()
    late = asyncio.create_task(writer.use())
    await asyncio.sleep(0)
    writer.may_finish.set()
    assert [await early, await late] == [1, 2]


async def test_only_recent_file_is_returned_at_once(
    writer: Writer, spool: ExportSpool, clock: MonotonicClock
) -> None:
    """`acquire_recent` returns a file that was requested just before and is not stale, and no other."""
    assert spool.acquire_recent("a") is None
    writer.may_finish.clear()
    first = asyncio.create_task(writer.use())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert spool.acquire_recent("a") is None
    writer.may_finish.set()
    await first
    file = spool.acquire_recent("a")
    assert file is not None
    assert file.path.read_bytes()[0] == 1
    clock.now += RECENT_SECONDS / 2
    spool.release(file)
    clock.now += RECENT_SECONDS / 2 + 1
    assert spool.acquire_recent("a") is None
    assert await writer.use() == 1
    assert spool.acquire_recent("a") is file
    spool.release(file)
    spool.invalidate()
    assert spool.acquire_recent("a") is None
    writer.error = StoreUnavailable("The store is down.")
    with pytest.raises(StoreUnavailable):
        await writer.use("b")
    assert spool.acquire_recent("b") is None


async def test_failed_file_is_written_again(writer: Writer) -> None:
    """A file that failed after its client disconnected is written again for the next request."""
    writer.may_finish.clear()
    writer.error = StoreUnavailable("The store is down.")
    client = asyncio.create_task(writer.use())
    await asyncio.sleep(0)
    client.cancel()
    await asyncio.wait({client})
    writer.may_finish.set()
    await asyncio.sleep(0.01)
    writer.error = None
    assert await writer.use() == 2


async def test_evicted_file_is_deleted_on_release(
    writer: Writer, spool: ExportSpool, clock: MonotonicClock
) -> None:
    """A file in use remains on disk after its eviction until its user releases it."""
    file = await spool.acquire("a", writer)
    clock.now += 1000
    for key in "bcd":
        await writer.use(key)
    assert file.path.read_bytes() == b"\1" * 10
    spool.release(file)
    assert not file.path.exists()


async def test_least_recently_used_file_is_evicted(writer: Writer, spool: ExportSpool) -> None:
    """Above the maximum number of files, the least recently used one is deleted."""
    assert [await writer.use(key) for key in "abacab"] == [1, 2, 1, 3, 1, 4]
    file = await spool.acquire("a", writer)
    assert len(list(file.path.parent.iterdir())) == 2
    spool.release(file)


async def test_disk_space_is_limited(writer: Writer, spool: ExportSpool) -> None:
    """Idle files are deleted to free space; a file that does not fit is refused, and deleted."""
    writer.size = 60
    assert [await writer.use(key) for key in "aba"] == [1, 2, 3]
    file = await spool.acquire("a", writer)
    with pytest.raises(StoreUnavailable, match="GQL_TABLE_SPOOL_BYTES"):
        await writer.use("b")
    spool.release(file)
    writer.size = 101
    with pytest.raises(LimitExceeded, match="GQL_TABLE_SPOOL_BYTES"):
        await writer.use("c")
    writer.size = 100
    assert await writer.use("d")
    assert len(list(file.path.parent.iterdir())) == 1


async def test_idle_file_is_deleted_without_requests(clock: MonotonicClock) -> None:
    """A file that nobody requests any more is deleted, and no timer remains after it."""
    limits = replace(Settings(tracking_uri="unused:").limits.exports, table_file_seconds=0.01)
    spool = ExportSpool(limits)
    writer = Writer(spool, clock)
    file = await spool.acquire("a", writer)
    clock.now += 1
    spool.release(file)
    assert file.path.exists()
    clock.now += 1
    await asyncio.to_thread(wait_until, lambda: not file.path.exists())
    assert await writer.use() == 2
    spool.close()
