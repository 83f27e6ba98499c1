"""Streams of exports: how much of a table is encoded before it is sent."""

from collections.abc import AsyncGenerator
from types import SimpleNamespace

import pytest

from gql_server.exports import export_stream
from gql_server.exports.csv_encoder import CsvEncoder
from gql_server.exports.export_stream import FIRST_BYTES, FIRST_SECONDS, ExportStream
from schema.ports.table import Table
from tests.support.clock import Clock


class Store:
    """Returns chunks of one row each, which take `seconds` by a clock."""

    def __init__(self, value: str, seconds: float = 0.0) -> None:
        self.returned = 0
        self.clock = Clock()
        self._value = value
        self._seconds = seconds

    async def chunks(self) -> AsyncGenerator[Table, None]:
        """Yield ten chunks."""
        for _ in range(10):
            self.returned += 1
            self.clock.now += self._seconds
            yield Table(1, {"a": [self._value]})


async def started(store: Store, monkeypatch: pytest.MonkeyPatch) -> ExportStream:
    """Return a stream of the store's chunks as CSV, at the time at which its response begins."""
    monkeypatch.setattr(export_stream, "time", SimpleNamespace(monotonic=store.clock))
    stream = ExportStream(CsvEncoder([("a", "text")]), store.chunks())
    await stream.start()
    return stream


async def content(stream: ExportStream) -> bytes:
    """Return the whole content."""
    return b"".join([part async for part in stream.parts()])


async def test_small_table_has_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small table is encoded as a whole before its response begins."""
    stream = await started(Store("x"), monkeypatch)
    assert await content(stream) == b"a\r\n" + b"x\r\n" * 10
    assert stream.size == 33


@pytest.mark.parametrize(
    "store", [Store("x" * (FIRST_BYTES // 3)), Store("x", FIRST_SECONDS / 3)], ids=["large", "slow"]
)
async def test_large_or_slow_table_is_sent_early(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that is large, or that the store returns slowly, is sent before its end is read."""
    stream = await started(store, monkeypatch)
    assert stream.size is None
    assert store.returned <= 4
    assert (await content(stream)).count(b"\r\n") == 11
