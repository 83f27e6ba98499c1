"""An aiocache backend in Redis with a timeout for every command."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from struct import Struct
from typing import Any
from zlib import crc32

from aiocache.backends.redis import RedisBackend as AiocacheRedis
from aiocache.serializers import NullSerializer
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_TRAILER = Struct("<QI")
"""The length of the value in front of it, and its CRC-32."""

_CONNECTIONS = 16
"""More than one event loop uses well at a time; further commands wait for a free connection."""

_MAX_KEYS = 256
_MAX_BYTES = 1_000_000
"""The limits of one command, so that a thousand histories do not block Redis for other replicas."""


class RedisBackend(AiocacheRedis):  # type: ignore[misc]  # aiocache has no types
    """Stores bytes unpickled, under keys with the prefix `namespace`.

    Each value has its length and checksum behind it. A value that was cut or changed is a missing one.

    `url` is a redis:// or rediss:// URL with user, password, database and redis-py's options. A command that
    takes longer than `timeout` seconds raises TimeoutError. `clear` is not supported: it would empty the
    whole database.
    """

    def __init__(self, url: str, *, namespace: str, timeout: float) -> None:
        options: dict[str, Any] = dict(parse_url(url))
        server = {
            "endpoint": options.pop("host", "127.0.0.1"),
            "port": options.pop("port", 6379),
            "db": options.pop("db", 0),
            "password": options.pop("password", None),
        }
        options |= {
            "timeout": timeout,
            # One retry, for a connection that Redis has closed; a cache is not worth a pause.
            "retry": Retry(NoBackoff(), 1),
        }
        super().__init__(
            serializer=NullSerializer(encoding=None),
            namespace=namespace,
            timeout=0,  # aiocache's timeout creates a task per command; see _command_timeout
            pool_max_size=_CONNECTIONS,
            create_connection_timeout=timeout,
            connection_pool_class=BlockingConnectionPool,
            connection_pool_kwargs=options,
            **server,
        )
        self._command_timeout = timeout

    async def _multi_get(
        self, keys: Sequence[str], encoding: str | None = None, _conn: Any = None
    ) -> list[bytes | None]:
        values: list[bytes | None] = []
        for start in range(0, len(keys), _MAX_KEYS):
            async with asyncio.timeout(self._command_timeout):
                values += await super()._multi_get(keys[start : start + _MAX_KEYS], encoding, _conn)
        return [None if value is None else _without_trailer(value) for value in values]

    async def _multi_set(
        self, pairs: Iterable[tuple[str, bytes]], ttl: float | None = None, _conn: Any = None
    ) -> bool:
        for batch in _batches((key, _with_trailer(value)) for key, value in pairs):
            async with asyncio.timeout(self._command_timeout):
                await super()._multi_set(batch, ttl, _conn)
        return True

    async def multi_delete(self, keys: Sequence[str]) -> None:
        """Delete the entries of keys, if they exist; aiocache deletes one key at a time."""
        for start in range(0, len(keys), _MAX_KEYS):
            names = [self.build_key(key) for key in keys[start : start + _MAX_KEYS]]
            async with asyncio.timeout(self._command_timeout):
                await self.client.delete(*names)

    async def _clear(self, namespace: str | None = None, _conn: Any = None) -> bool:
        raise NotImplementedError

    async def _close(self, *_args: Any, _conn: Any = None, **_options: Any) -> None:
        # aiocache calls close(), which redis-py has deprecated.
        await self.client.aclose()


def _with_trailer(value: bytes) -> bytes:
    return value + _TRAILER.pack(len(value), crc32(value))


def _without_trailer(stored: bytes) -> bytes | None:
    """Return the value; None if it is not the one that was stored."""
    value = stored[: -_TRAILER.size]
    return value if _with_trailer(value) == stored else None


def _batches(pairs: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    batch: list[tuple[str, bytes]] = []
    size = 0
    for pair in pairs:
        batch.append(pair)
        size += len(pair[1])
        if len(batch) >= _MAX_KEYS or size >= _MAX_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
