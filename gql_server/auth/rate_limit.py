"""How often each caller may ask: counted by the library `limits`, in Redis where replicas share one."""

import asyncio
import math
import time
from hashlib import blake2b
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Any, NoReturn

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from gql_server.auth.caller import ANYONE, Caller
from gql_server.config.settings import Settings
from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError
from gql_server.runtime.circuit_breaker import CircuitBreaker

_BUCKET_BYTES = 2
"""Callers are counted in 65,536 buckets, so that made-up addresses do not fill the memory."""


class RateLimiter:
    """Counts the requests of each caller; where Redis fails, each process counts for itself."""

    def __init__(self, rate: str, *, redis_url: str = "", timeout: float = 0.25) -> None:
        """Take a rate such as `600/minute`; raise ValueError where it is none."""
        self._item: RateLimitItem = _item_of(rate)
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared: SlidingWindowCounterRateLimiter | None = None
        self._redis: Any = None
        self._timeout = timeout
        self._circuit = CircuitBreaker()
        if redis_url:
            storage = RedisStorage(f"async+{redis_url}", implementation="redispy", key_prefix="gql-rate")
            self._shared = SlidingWindowCounterRateLimiter(storage)
            bridge: Any = storage.bridge
            self._redis = bridge.get_connection()

    async def count(self, caller: Caller, address: str) -> None:
        """Count one request; raise Refusal, 429 with Retry-After, where it is one too many."""
        buckets = _buckets(caller, address)
        limiter = self._shared if self._shared is not None and self._circuit.allows_call() else self._own
        try:
            async with asyncio.timeout(self._timeout):
                await self._hit(limiter, buckets)
        except RequestError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with Redis, callers are still counted
            self._circuit.record_failure(error)
            await self._hit(self._own, buckets)
        else:
            if limiter is self._shared:
                self._circuit.record_success()

    async def close(self) -> None:
        """Let go of connections."""
        if self._redis is not None:
            await self._redis.aclose()

    async def _hit(self, limiter: SlidingWindowCounterRateLimiter, buckets: list[str]) -> None:
        for bucket in buckets:
            if not await limiter.hit(self._item, bucket):
                await self._refuse(limiter, bucket)

    async def _refuse(self, limiter: SlidingWindowCounterRateLimiter, bucket: str) -> NoReturn:
        stats = await limiter.get_window_stats(self._item, bucket)
        seconds = max(1, math.ceil(stats.reset_time - time.time()))
        text = f"The caller asks more often than {self._item} (GQL_RATE_LIMIT)."
        status = HTTPStatus.TOO_MANY_REQUESTS
        raise RequestError.from_message(text, ErrorCode.RATE_LIMITED, status, retry_after=str(seconds))


def _item_of(rate: str) -> RateLimitItem:
    try:
        return parse(rate)
    except ValueError as error:
        message = f"GQL_RATE_LIMIT={rate} is no rate such as 600/minute: {error}"
        raise ValueError(message) from None


def rate_limiter_from(settings: Settings) -> RateLimiter | None:
    """Return the rates that the settings name; None for no bound. Raises ValueError for what is no rate."""
    if not settings.rate_limit:
        return None
    return RateLimiter(settings.rate_limit, redis_url=settings.cache_url, timeout=settings.cache_timeout)


def _buckets(caller: Caller, address: str) -> list[str]:
    """Return where a request counts: never under a name that is only said, or anyone could use it up."""
    if caller is ANYONE:
        return [_bucket(address)]
    own = _bucket(caller.principal or caller.name)
    # Whoever makes credentials up has as many as they like, but one address.
    return [own] if caller.proven else [_bucket(address), own]


def _bucket(who: str) -> str:
    try:
        address = ip_address(who)
    except ValueError:
        pass
    else:
        if isinstance(address, IPv6Address):
            # Proxies may write an address of version 4 so; who has one of version 6 has all of its /64.
            who = str(address.ipv4_mapped or int(address) >> 64)
    return blake2b(who.encode("utf-8", "surrogatepass"), digest_size=_BUCKET_BYTES).hexdigest()
