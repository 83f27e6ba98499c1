"""Files that are kept between requests: for how long, how many, and what becomes of failures."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from gql_server.exports import export_file
from gql_server.exports.export_file import ExportFile
from gql_server.exports.export_spool import ExportSpool
from schema.ports.errors import LimitExceeded, StoreUnavailable


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Return what it shows."""
        return self.now


class Maker:
    """Makes files of some bytes, or fails; it counts, and may take its time."""

    def __init__(self, spool: ExportSpool, clock: Clock) -> None:
        self.made = 0
        self.takes = 0.0
        self.size = 10
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.failing: Exception | None = None
        self._spool = spool
        self._clock = clock

    async def __call__(self, file: ExportFile) -> None:
        """Make a file, each of other bytes than the one before."""
        self.made += 1
        file.path.write_bytes(bytes([self.made]) * self.size)
        self._spool.grew(file)
        await self.go_on.wait()
        self._clock.now += self.takes
        if self.failing:
            raise self.failing

    async def use(self, key: str = "a", *, anew: bool = False, goes_on: bool = False) -> int:
        """Take a file, give it back, and return which it was."""
        file = await self._spool.take(key, self, anew=anew, goes_on=goes_on)
        number = file.path.read_bytes()[0]
        self._spool.release(file)
        return number


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clock that files go by."""
    clock = Clock()
    monkeypatch.setattr(export_file, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def spool() -> Iterator[ExportSpool]:
    """Give a spool of two files that are kept a minute, and of a hundred bytes."""
    spool = ExportSpool(seconds=60, most_files=2, most_bytes=100)
    yield spool
    spool.close()


async def test_what_takes_long_is_made_once(spool: ExportSpool, clock: Clock) -> None:
    """The time for which a file is kept begins when it is there, however long it took to make it."""
    make = Maker(spool, clock)
    make.takes = 100
    assert [await make.use() for _ in range(4)] == [1] * 4


async def test_each_use_keeps_it_up_to_a_bound(spool: ExportSpool, clock: Clock) -> None:
    """A reader who comes back within the minute gets the same file; after five minutes nobody does."""
    make = Maker(spool, clock)
    numbers = []
    for _ in range(8):
        numbers.append(await make.use())
        clock.now += 50
    assert numbers == [1] * 7 + [2]
    clock.now += 61
    assert await make.use() == 3


async def test_who_begins_to_read_gets_what_is_new(spool: ExportSpool, clock: Clock) -> None:
    """After a change, or on demand, a file is made anew; who is in the middle of one goes on with it."""
    make = Maker(spool, clock)
    assert await make.use() == 1
    spool.forget()
    assert await make.use(goes_on=True) == 1
    assert await make.use() == 2
    assert await make.use(anew=True, goes_on=True) == 2
    assert await make.use(anew=True) == 3
    assert await make.use(goes_on=True) == 3


async def test_a_change_while_it_is_made_is_seen(spool: ExportSpool, clock: Clock) -> None:
    """Who asks after a change does not get the file that was begun before it."""
    make = Maker(spool, clock)
    make.go_on.clear()
    early = asyncio.create_task(make.use())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    spool.forget()
    late = asyncio.create_task(make.use())
    await asyncio.sleep(0)
    make.go_on.set()
    assert [await early, await late] == [1, 2]


async def test_a_failure_is_nobody_elses(spool: ExportSpool, clock: Clock) -> None:
    """What fails after its asker left is made again for the next one."""
    make = Maker(spool, clock)
    make.go_on.clear()
    make.failing = StoreUnavailable("The store is down.")
    asker = asyncio.create_task(make.use())
    await asyncio.sleep(0)
    asker.cancel()
    await asyncio.wait({asker})
    make.go_on.set()
    await asyncio.sleep(0.01)
    make.failing = None
    assert await make.use() == 2


async def test_a_file_in_use_is_there(spool: ExportSpool, clock: Clock) -> None:
    """A file that has to go stays on disk until whoever took it has given it back."""
    make = Maker(spool, clock)
    file = await spool.take("a", make)
    clock.now += 1000
    for key in "bcd":
        await make.use(key)
    assert file.path.read_bytes() == b"\1" * 10
    spool.release(file)
    assert not file.path.exists()


async def test_the_least_used_goes_first(spool: ExportSpool, clock: Clock) -> None:
    """Beyond the number of files, the one that nobody used for longest is deleted."""
    make = Maker(spool, clock)
    assert [await make.use(key) for key in "abacab"] == [1, 2, 1, 3, 1, 4]
    file = await spool.take("a", make)
    assert len(list(file.path.parent.iterdir())) == 2
    spool.release(file)


async def test_the_disk_is_bounded(spool: ExportSpool, clock: Clock) -> None:
    """Room is made by deleting what nobody reads; what does not fit is refused, and takes no room."""
    make = Maker(spool, clock)
    make.size = 60
    assert [await make.use(key) for key in "aba"] == [1, 2, 3]
    file = await spool.take("a", make)
    with pytest.raises(StoreUnavailable, match="GQL_TABLE_SPOOL_BYTES"):
        await make.use("b")
    spool.release(file)
    make.size = 101
    with pytest.raises(LimitExceeded, match="GQL_TABLE_SPOOL_BYTES"):
        await make.use("c")
    make.size = 100
    assert await make.use("d")
    assert len(list(file.path.parent.iterdir())) == 1
