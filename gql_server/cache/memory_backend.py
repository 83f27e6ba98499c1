"""An aiocache backend in memory with a limit in bytes."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import Any, NamedTuple

from aiocache.base import BaseCache
from aiocache.serializers import NullSerializer
from cachetools import LRUCache

ENTRY_OVERHEAD = 480
"""Bytes of memory that an entry takes in addition to its key and value; up to 418 were measured."""


class _Entry(NamedTuple):
    deadline: float
    value: bytes
    size: int


class MemoryBackend(BaseCache):  # type: ignore[misc]  # aiocache has no types
    """Stores bytes under text keys, and evicts the least recently used entries beyond `max_bytes`.

    aiocache's own memory backend has no limit, and its timers outlive the entries that they were set for.
    Here each entry has a deadline, which is checked when the entry is read. Increments, raw commands and
    `clear` are not supported.
    """

    NAME = "memory"

    def __init__(self, max_bytes: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        # aiocache's timeout creates a task per call, and no call waits here.
        super().__init__(serializer=NullSerializer(), timeout=0)
        self._clock = clock
        self._disabled = os.getenv("AIOCACHE_DISABLE") == "1"
        self._entries: LRUCache[str, _Entry] = LRUCache(max_bytes, getsizeof=lambda entry: entry.size)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes_used(self) -> int:
        """Return the size of all entries."""
        return int(self._entries.currsize)

    async def multi_get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of keys, None for missing ones; an empty list if AIOCACHE_DISABLE is 1.

        This and `multi_set` skip aiocache's plugins, timeouts and serializers, which are not used here and
        take ten times as long as the lookup.
        """
        if self._disabled:
            return []
        now = self._clock()
        return [self._read(key, now) for key in keys]

    async def multi_set(self, pairs: Iterable[tuple[str, bytes]], ttl: float | None = None) -> bool:
        """Store values under their keys."""
        if not self._disabled:
            deadline = self._deadline(ttl)
            for key, value in pairs:
                self._write(key, value, deadline)
        return True

    async def _get(self, key: str, encoding: str | None = None, _conn: Any = None) -> bytes | None:  # noqa: ARG002
        return self._read(key, self._clock())

    async def _set(
        self, key: str, value: bytes, ttl: float | None = None, _cas_token: Any = None, _conn: Any = None
    ) -> bool:
        if _cas_token is not None:
            raise NotImplementedError
        return self._write(key, value, self._deadline(ttl))

    async def multi_delete(self, keys: Iterable[str]) -> None:
        """Delete the entries of keys, if they exist; aiocache deletes one key at a time."""
        for key in keys:
            self._entries.pop(key, None)

    async def _exists(self, key: str, _conn: Any = None) -> bool:
        return self._read(key, self._clock()) is not None

    async def _delete(self, key: str, _conn: Any = None) -> int:
        return int(self._entries.pop(key, None) is not None)

    def _deadline(self, ttl: float | None) -> float:
        return self._clock() + ttl if ttl else inf

    def _read(self, key: str, now: float) -> bytes | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.deadline <= now:
            del self._entries[key]
            return None
        return entry.value

    def _write(self, key: str, value: object, deadline: float) -> bool:
        if not isinstance(value, bytes):
            message = f"The cache stores bytes, not {type(value).__name__}."
            raise TypeError(message)
        # Without the former value first, cachetools would evict as much as for a further entry.
        self._entries.pop(key, None)
        size = _size(key, value)
        if size > self._entries.maxsize:
            return False
        self._entries[key] = _Entry(deadline, value, size)
        return True


def _size(key: str, value: bytes) -> int:
    # This server's keys are ASCII; a character of others takes up to four bytes.
    return ENTRY_OVERHEAD + len(value) + (len(key) if key.isascii() else 4 * len(key))
