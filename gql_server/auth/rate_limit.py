"""The rate limit of each caller, by the library `limits`; in Redis if replicas share one."""

import asyncio
import math
import time
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NoReturn

from gql_server.auth.caller import ANONYMOUS, Caller
from gql_server.auth.client_network import network_of
from gql_server.config.settings import Settings
from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError
from gql_server.runtime.circuit_breaker import CircuitBreaker

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.aio.strategies import SlidingWindowCounterRateLimiter

_BUCKET_BYTES: Final = 2
"""The size of a bucket's hash: 65,536 buckets, so that invented addresses do not fill the memory."""


class RateLimiter:
    """Counts the requests of each caller; if Redis fails, each process counts separately.

    Raises ValueError for an invalid rate; `600/minute` is a valid one.
    """

    def __init__(self, rate: str, *, redis_url: str = "", timeout: float) -> None:
        # Imported here, since only a server with a rate limit needs the library and its 7 MB.
        from limits.aio.storage import MemoryStorage, RedisStorage  # noqa: PLC0415
        from limits.aio.strategies import SlidingWindowCounterRateLimiter  # noqa: PLC0415

        self._rate: RateLimitItem = _parse_rate(rate)
        self._local = SlidingWindowCounterRateLimiter(MemoryStorage())
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
        """Count one request; raise `RequestError`, 429 with Retry-After, above the rate."""
        buckets = _buckets(caller, address)
        limiter = self._shared if self._shared is not None and self._circuit.allows_call() else self._local
        try:
            async with asyncio.timeout(self._timeout):
                await self._hit(limiter, buckets)
        except RequestError:
            raise
        except Exception as error:  # noqa: BLE001 - after any error of Redis, this process counts itself
            self._circuit.record_failure(error)
            await self._hit(self._local, buckets)
        else:
            if limiter is self._shared:
                self._circuit.record_success()

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            await self._redis.aclose()

    async def _hit(self, limiter: "SlidingWindowCounterRateLimiter", buckets: list[str]) -> None:
        for bucket in buckets:
            if not await limiter.hit(self._rate, bucket):
                await self._refuse(limiter, bucket)

    async def _refuse(self, limiter: "SlidingWindowCounterRateLimiter", bucket: str) -> NoReturn:
        stats = await limiter.get_window_stats(self._rate, bucket)
        seconds = max(1, math.ceil(stats.reset_time - time.time()))
        message = f"The caller exceeds the rate limit of {self._rate} (GQL_RATE_LIMIT)."
        status = HTTPStatus.TOO_MANY_REQUESTS
        raise RequestError.from_message(message, ErrorCode.RATE_LIMITED, status, retry_after=str(seconds))


def _parse_rate(rate: str) -> "RateLimitItem":
    from limits import parse  # noqa: PLC0415 - as above

    try:
        return parse(rate)
    except ValueError as error:
        message = f"GQL_RATE_LIMIT={rate} is not a rate such as 600/minute: {error}"
        raise ValueError(message) from None


def rate_limiter_from(settings: Settings) -> RateLimiter | None:
    """Return the rate limiter of the settings; None without a rate. Raises ValueError for an invalid one."""
    if not settings.rate_limit:
        return None
    return RateLimiter(settings.rate_limit, redis_url=settings.cache_url, timeout=settings.cache_timeout)


def _buckets(caller: Caller, address: str) -> list[str]:
    """Return the buckets of a request.

    Unverified credentials count by address too: their name is only a claim, and a client can invent many.
    """
    if caller is ANONYMOUS:
        return [_bucket(address)]
    caller_bucket = _bucket(caller.principal or caller.name)
    return [caller_bucket] if caller.verified else [_bucket(address), caller_bucket]


def _bucket(key: str) -> str:
    network = network_of(key).encode("utf-8", "surrogatepass")
    return blake2b(network, digest_size=_BUCKET_BYTES).hexdigest()
