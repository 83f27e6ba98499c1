"""The keys that an OpenID Connect provider publishes: fetched once for all who need them, and kept."""

import asyncio
import logging
import time
from typing import Final

import jwt

_LIFESPAN: Final = 300.0
"""Seconds that the keys are kept."""
_COOLDOWN: Final = 10.0
"""Seconds from one fetch to the next, whatever came of it and whatever tokens come."""
_TIMEOUT: Final = 5.0
"""Seconds that the provider is waited for."""
_MOST_WAITING: Final = 200
"""Who waits for a fetch at once; more are told that the provider does not answer."""

_log = logging.getLogger(__name__)


class ProviderUnavailable(Exception):
    """The provider's keys cannot be had now: nobody can be told from anybody."""


class JsonWebKeySet:
    """The keys behind one address; those that are known are given without waiting for anything."""

    def __init__(self, url: str) -> None:
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=_TIMEOUT)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._old_from = 0.0
        self._fetching: asyncio.Task[None] | None = None
        self._fetching_until = 0.0
        self._next_fetch = 0.0
        self._failed = False
        self._waiting = 0

    async def get(self, kid: str) -> jwt.PyJWK | None:
        """Return a key; None where the provider has none of that name. Raises ProviderDown."""
        if not self._is_known(kid) and (self._fetching or time.monotonic() >= self._next_fetch):
            await self._fetched()
        if self._is_known(kid):
            return self._keys[kid]
        if self._failed:
            raise ProviderUnavailable
        return None

    def _is_known(self, kid: str) -> bool:
        return kid in self._keys and time.monotonic() < self._old_from

    async def _fetched(self) -> None:
        """Return once the fetch that is under way has ended; begin one where none is."""
        if self._waiting >= _MOST_WAITING:
            raise ProviderUnavailable
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching_until = asyncio.get_running_loop().time() + _TIMEOUT
        self._waiting += 1
        try:
            # A provider that answers byte by byte is not waited for beyond this either.
            async with asyncio.timeout_at(self._fetching_until):
                await asyncio.shield(self._fetching)
        except TimeoutError:
            raise ProviderUnavailable from None
        finally:
            self._waiting -= 1

    async def _fetch(self) -> None:
        try:
            keys = await asyncio.to_thread(self._client.get_signing_keys)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the provider, there are no keys
            self._failed = True
            _log.warning("the keys of the identity provider cannot be had: %s", type(error).__name__)
        else:
            self._failed = False
            # The first of a name counts.
            self._keys = {key.key_id: key for key in reversed(keys) if key.key_id}
            self._old_from = time.monotonic() + _LIFESPAN
        finally:
            self._next_fetch = time.monotonic() + _COOLDOWN
            self._fetching = None
