"""The JSON Web Key Set that an OpenID Connect provider publishes."""

import asyncio
import logging
import time
from typing import Final

import jwt

from gql_server.auth.scheme import ProviderUnavailable
from gql_server.runtime.limiter import Limiter, LimiterFull

_LIFETIME: Final = 300.0
"""Seconds for which the keys are cached."""
_COOLDOWN: Final = 10.0
"""Minimum seconds between two fetches, successful or not."""
_TIMEOUT: Final = 5.0
"""Seconds that a fetch may take."""
_MAX_WAITING: Final = 200
"""Requests that wait for a fetch at the same time; a further one fails at once."""

_log = logging.getLogger(__name__)


class JsonWebKeySet:
    """The keys at one URL; a cached key is returned without waiting for a fetch."""

    def __init__(self, url: str) -> None:
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=_TIMEOUT)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._expires = 0.0
        self._fetch: asyncio.Task[None] | None = None
        self._fetch_deadline = 0.0
        self._next_fetch = 0.0
        self._fetch_failed = False
        self._waiting = Limiter(_MAX_WAITING)

    async def get(self, kid: str) -> jwt.PyJWK | None:
        """Return the key with this id; None if the provider has none. Raises `ProviderUnavailable`."""
        if not self._is_cached(kid) and (self._fetch or time.monotonic() >= self._next_fetch):
            await self._wait_for_fetch()
        if self._is_cached(kid):
            return self._keys[kid]
        if self._fetch_failed:
            raise ProviderUnavailable
        return None

    def _is_cached(self, kid: str) -> bool:
        return kid in self._keys and time.monotonic() < self._expires

    async def _wait_for_fetch(self) -> None:
        """Wait for the fetch in flight; start one if none is in flight."""
        try:
            self._waiting.acquire()
        except LimiterFull:
            raise ProviderUnavailable from None
        try:
            if self._fetch is None:
                self._fetch = asyncio.create_task(self._fetch_keys())
                self._fetch_deadline = asyncio.get_running_loop().time() + _TIMEOUT
            # PyJWT's own timeout does not end a response that arrives byte by byte.
            async with asyncio.timeout_at(self._fetch_deadline):
                await asyncio.shield(self._fetch)
        except TimeoutError:
            raise ProviderUnavailable from None
        finally:
            self._waiting.release()

    async def _fetch_keys(self) -> None:
        try:
            keys = await asyncio.to_thread(self._client.get_signing_keys)
        except Exception as error:  # noqa: BLE001 - every error means that there are no keys
            self._fetch_failed = True
            _log.warning("cannot fetch the keys of the identity provider: %s", type(error).__name__)
        else:
            self._fetch_failed = False
            # Of several keys with one id, the first is used.
            self._keys = {key.key_id: key for key in reversed(keys) if key.key_id}
            self._expires = time.monotonic() + _LIFETIME
        finally:
            self._next_fetch = time.monotonic() + _COOLDOWN
            self._fetch = None
