"""The interface of the cache's backends."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol


class CacheBackend(Protocol):
    """Stores bytes under text keys: the part of aiocache's interface that `Cache` calls."""

    async def multi_get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of keys in their order, None for missing ones."""
        ...

    async def multi_set(self, pairs: Iterable[tuple[str, bytes]], ttl: float | None = None) -> bool:
        """Store values under their keys, for `ttl` seconds if it is given; return True."""
        ...

    async def multi_delete(self, keys: Sequence[str]) -> Any:
        """Delete the entries of keys, if they exist."""
        ...

    async def get(self, key: str) -> bytes | None:
        """Return the value of a key; None if it is missing."""
        ...

    async def set(self, key: str, value: bytes, ttl: float | None = None) -> Any:
        """Store a value under a key, for `ttl` seconds if it is given."""
        ...

    async def delete(self, key: str) -> Any:
        """Delete the entry of a key, if it exists; return whether it existed."""
        ...

    async def close(self) -> Any:
        """Close the connections."""
        ...
