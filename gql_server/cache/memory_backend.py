"""aiocache's backend in memory, bounded by bytes."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import Any

from aiocache.base import BaseCache
from aiocache.serializers import NullSerializer

ENTRY_OVERHEAD = 360
"""Bytes that an entry takes beside key and value: its place in the order, its tuple, its deadline."""


class MemoryBackend(BaseCache):  # type: ignore[misc]  # aiocache has no types
    """Bytes under text keys; what was used longest ago goes first once `most_bytes` are reached.

    aiocache's own has no bound, and its timers outlive the entries that they were set for; here a deadline
    stands with each entry and is looked at when it is read. Increments, raw commands and `clear` are refused.
    """

    NAME = "memory"

    def __init__(self, most_bytes: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        # aiocache's timeout is a task for each call, and nothing here waits.
        super().__init__(serializer=NullSerializer(), timeout=0)
        self.most_bytes = most_bytes
        self.bytes = 0
        self.evicted = 0
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    async def _get(self, key: str, encoding: str | None = None, _conn: Any = None) -> bytes | None:  # noqa: ARG002
        return self._read(key, self._clock())

    async def _multi_get(
        self,
        keys: Sequence[str],
        encoding: str | None = None,  # noqa: ARG002
        _conn: Any = None,
    ) -> list[bytes | None]:
        now = self._clock()
        return [self._read(key, now) for key in keys]

    async def _set(
        self, key: str, value: bytes, ttl: float | None = None, _cas_token: Any = None, _conn: Any = None
    ) -> bool:
        if _cas_token is not None:
            raise NotImplementedError
        return self._write(key, value, self._deadline(ttl))

    async def _multi_set(
        self, pairs: Iterable[tuple[str, bytes]], ttl: float | None = None, _conn: Any = None
    ) -> bool:
        deadline = self._deadline(ttl)
        for key, value in pairs:
            self._write(key, value, deadline)
        return True

    async def _exists(self, key: str, _conn: Any = None) -> bool:
        return self._read(key, self._clock()) is not None

    async def _delete(self, key: str, _conn: Any = None) -> int:
        return int(self._drop(key))

    def _deadline(self, ttl: float | None) -> float:
        return self._clock() + ttl if ttl else inf

    def _read(self, key: str, now: float) -> bytes | None:
        entry = self._kept.get(key)
        if entry is None:
            return None
        if entry[0] <= now:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return entry[1]

    def _write(self, key: str, value: object, deadline: float) -> bool:
        if not isinstance(value, bytes):
            message = f"The cache keeps bytes, not {type(value).__name__}."
            raise TypeError(message)
        self._drop(key)
        size = _size(key, value)
        if size > self.most_bytes:
            return False
        self._kept[key] = deadline, value
        self.bytes += size
        while self.bytes > self.most_bytes:
            oldest, (_, dropped) = self._kept.popitem(last=False)
            self.bytes -= _size(oldest, dropped)
            self.evicted += 1
        return True

    def _drop(self, key: str) -> bool:
        entry = self._kept.pop(key, None)
        if entry is None:
            return False
        self.bytes -= _size(key, entry[1])
        return True


def _size(key: str, value: bytes) -> int:
    # Keys made elsewhere are ASCII; others take up to four bytes a character.
    return ENTRY_OVERHEAD + len(value) + (len(key) if key.isascii() else 4 * len(key))
