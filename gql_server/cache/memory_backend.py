"""A cache backend in memory with a limit in bytes."""

import time
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import NamedTuple

from cachetools import LRUCache

ENTRY_OVERHEAD = 480
"""Bytes of memory that an entry takes in addition to its key and value; up to 418 were measured."""


class _Entry(NamedTuple):
    deadline: float
    value: bytes
    size: int


class MemoryBackend:
    """Stores bytes under text keys, and evicts the least recently used entries beyond `max_bytes`.

    aiocache's own memory backend has no limit, and its timers outlive the entries that they were set for.
    Here each entry has a deadline, which is checked when the entry is read. Importing aiocache imports
    redis-py, which takes 9 MB, and its wrappers take ten times as long as a lookup.
    """

    def __init__(self, max_bytes: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: LRUCache[str, _Entry] = LRUCache(max_bytes, getsizeof=lambda entry: entry.size)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes_used(self) -> int:
        """Return the size of all entries."""
        return int(self._entries.currsize)

    async def multi_get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of keys in their order, None for missing ones."""
        now = self._clock()
        return [self._read(key, now) for key in keys]

    async def multi_set(self, pairs: Iterable[tuple[str, bytes]], ttl: float | None = None) -> bool:
        """Store values under their keys, for `ttl` seconds if it is given; return True, as aiocache does."""
        deadline = self._clock() + ttl if ttl else inf
        for key, value in pairs:
            self._write(key, value, deadline)
        return True

    async def multi_delete(self, keys: Iterable[str]) -> None:
        """Delete the entries of keys, if they exist."""
        for key in keys:
            self._entries.pop(key, None)

    async def get(self, key: str) -> bytes | None:
        """Return the value of a key; None if it is missing."""
        return self._read(key, self._clock())

    async def set(self, key: str, value: bytes, ttl: float | None = None) -> None:
        """Store a value under a key, for `ttl` seconds if it is given."""
        await self.multi_set([(key, value)], ttl)

    async def delete(self, key: str) -> bool:
        """Delete the entry of a key; return whether it existed."""
        return self._entries.pop(key, None) is not None

    async def close(self) -> None:
        """Do nothing: there are no connections."""

    def _read(self, key: str, now: float) -> bytes | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.deadline <= now:
            del self._entries[key]
            return None
        return entry.value

    def _write(self, key: str, value: object, deadline: float) -> None:
        if not isinstance(value, bytes):
            message = f"The cache stores bytes, not {type(value).__name__}."
            raise TypeError(message)
        # Without the former value first, cachetools would evict as much as for a further entry.
        self._entries.pop(key, None)
        size = _size(key, value)
        if size <= self._entries.maxsize:
            self._entries[key] = _Entry(deadline, value, size)


def _size(key: str, value: bytes) -> int:
    # This server's keys are ASCII; a character of others takes up to four bytes.
    return ENTRY_OVERHEAD + len(value) + (len(key) if key.isascii() else 4 * len(key))
