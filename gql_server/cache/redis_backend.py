"""aiocache's Redis backend with an end to every wait."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from aiocache.backends.redis import RedisBackend as AiocacheRedis
from aiocache.serializers import NullSerializer
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_CONNECTIONS = 16
"""More than a process of one event loop uses well at once; one more asker waits for a free one."""

_MOST_KEYS = 256
_MOST_BYTES = 1_000_000
"""What one command reads or writes, so that a thousand histories do not hold Redis up for other replicas."""


class RedisBackend(AiocacheRedis):  # type: ignore[misc]  # aiocache has no types
    """Bytes as they are, never pickled, under keys that begin with `namespace`.

    `url` is redis:// or rediss:// with user, password, database and redis-py's options. A command that takes
    longer than `timeout` seconds raises TimeoutError. `clear`, which would empty the whole database with
    whatever else is in it, is refused.
    """

    def __init__(self, url: str, *, namespace: str, timeout: float) -> None:
        options: dict[str, Any] = dict(parse_url(url))
        where = {
            "endpoint": options.pop("host", "127.0.0.1"),
            "port": options.pop("port", 6379),
            "db": options.pop("db", 0),
            "password": options.pop("password", None),
        }
        options |= {
            "timeout": timeout,
            # Once, for a connection that Redis closed meanwhile; waiting is not worth it for a cache.
            "retry": Retry(NoBackoff(), 1),
        }
        super().__init__(
            serializer=NullSerializer(encoding=None),
            namespace=namespace,
            timeout=0,  # aiocache's makes a task of each command; see _patience
            pool_max_size=_CONNECTIONS,
            create_connection_timeout=timeout,
            connection_pool_class=BlockingConnectionPool,
            connection_pool_kwargs=options,
            **where,
        )
        self._patience = timeout

    async def _multi_get(
        self, keys: Sequence[str], encoding: str | None = None, _conn: Any = None
    ) -> list[bytes | None]:
        values: list[bytes | None] = []
        for start in range(0, len(keys), _MOST_KEYS):
            async with asyncio.timeout(self._patience):
                values += await super()._multi_get(keys[start : start + _MOST_KEYS], encoding, _conn)
        return values

    async def _multi_set(
        self, pairs: Iterable[tuple[str, bytes]], ttl: float | None = None, _conn: Any = None
    ) -> bool:
        for some in _portions(pairs):
            async with asyncio.timeout(self._patience):
                await super()._multi_set(some, ttl, _conn)
        return True

    async def _clear(self, namespace: str | None = None, _conn: Any = None) -> bool:
        raise NotImplementedError

    async def _close(self, *_args: Any, _conn: Any = None, **_options: Any) -> None:
        # aiocache's calls close(), which redis-py has deprecated.
        await self.client.aclose()


def _portions(pairs: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    portion: list[tuple[str, bytes]] = []
    size = 0
    for pair in pairs:
        portion.append(pair)
        size += len(pair[1])
        if len(portion) >= _MOST_KEYS or size >= _MOST_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
