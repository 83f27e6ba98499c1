"""This server's Azure credential: azure-identity's non-interactive chain, with cached tokens.

A server cannot open a browser or wait for a device code, which the plugin's own chain may do. The plugin
also requests a token for every HTTP request, and azure-identity's command line credentials start a process
each time.
"""

import logging
import math
import re
import time
from collections.abc import Callable
from threading import Lock
from typing import Any
from weakref import WeakSet

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import DefaultAzureCredential

from schema.ports.errors import PublicError, StoreUnavailable, Unauthenticated

_RENEWAL_SECONDS = 300.0
"""Remaining lifetime at which a token is renewed, as in Azure's own clients."""
_MIN_REMAINING_SECONDS = 30.0
"""Remaining lifetime that a token needs to be used, because the request takes time as well."""
_FAILURE_SECONDS = 10.0
"""Time for which a failure is repeated without an attempt; attempts may start processes and wait."""
_NON_INTERACTIVE = {
    "exclude_interactive_browser_credential": True,
    "exclude_broker_credential": True,
    "exclude_shared_token_cache_credential": True,
    "exclude_visual_studio_code_credential": True,
}
"""Excludes credentials that may open a window or that read what an editor stored."""

_log = logging.getLogger(__name__)


def non_interactive_credential(authority: str | None, timeout: float) -> TokenCredential:
    """Return azure-identity's chain without interactive credentials.

    `timeout` is in seconds, for each process that it starts and each response that it waits for. The chain
    is the environment's service principal, workload identity, managed identity, and the command line tools
    with a signed-in user; `AZURE_TOKEN_CREDENTIALS` narrows it. Raises ValueError for a value of that
    variable that azure-identity does not support.
    """
    options: dict[str, Any] = {} if authority is None else {"authority": authority}
    return DefaultAzureCredential(
        process_timeout=max(1, int(timeout)),
        connection_timeout=timeout,
        read_timeout=timeout,
        retry_total=1,
        **_NON_INTERACTIVE,
        **options,
    )


_credentials: WeakSet["CachedCredential"] = WeakSet()
"""All credentials of the process. The plugin passes only the token to a request, not the credential."""


class CachedCredential:
    """A credential that caches its tokens until shortly before they expire; it is thread-safe.

    While a token is valid, one thread renews it and other threads use it. Raises `StoreUnavailable` if
    there is no credential or Azure's sign-in cannot be reached, and `Unauthenticated` if Azure refused the
    credential.
    """

    def __init__(self, create: Callable[[], TokenCredential]) -> None:
        self._create = create
        self._credential: TokenCredential | None = None
        self._tokens: dict[tuple[str, ...], AccessToken] = {}
        self._failure: tuple[float, PublicError] | None = None
        self._rejected_at = -math.inf
        self._lock = Lock()
        _credentials.add(self)

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        """Return a token that is valid for at least half a minute."""
        token = self._cached(scopes, _RENEWAL_SECONDS)
        if token is not None:
            return token
        token = self._cached(scopes, _MIN_REMAINING_SECONDS)
        if token is None:
            with self._lock:
                return self._cached(scopes, _RENEWAL_SECONDS) or self._request(scopes)
        if not self._recent_failure() and self._lock.acquire(blocking=False):
            try:
                # Another thread may have renewed the token before it released the lock.
                return self._cached(scopes, _RENEWAL_SECONDS) or self._request(scopes)
            except PublicError as error:
                _log.warning("the token for Azure could not be renewed yet: %s", error)
            finally:
                self._lock.release()
        return token

    def reject(self, token: str) -> bool:
        """Discard a token that the service refused, and its credential; return False too soon after another.

        Tokens can be revoked before they expire, for example by a new sign-in or a changed role.
        """
        with self._lock:
            matching = [scopes for scopes, cached in self._tokens.items() if cached.token == token]
            if matching and time.monotonic() < self._rejected_at + _FAILURE_SECONDS:
                return False
            for scopes in matching:
                self._rejected_at = time.monotonic()
                self._credential = None
                del self._tokens[scopes]
            return True

    def _cached(self, scopes: tuple[str, ...], min_seconds: float) -> AccessToken | None:
        token = self._tokens.get(scopes)
        return token if token is not None and token.expires_on - time.time() > min_seconds else None

    def _recent_failure(self) -> PublicError | None:
        if self._failure is None or time.monotonic() >= self._failure[0]:
            return None
        return self._failure[1]

    def _request(self, scopes: tuple[str, ...]) -> AccessToken:
        if (failure := self._recent_failure()) is not None:
            raise type(failure)(*failure.args)
        try:
            self._credential = self._credential or self._create()
            token = self._credential.get_token(*scopes)
        except (AzureError, ValueError) as error:
            failure = _public_error(error)
            self._failure = (time.monotonic() + _FAILURE_SECONDS, failure)
            raise failure from error
        self._failure = None
        self._tokens[scopes] = token
        return token


def reject_token(token: str) -> bool:
    """Discard a refused token from all credentials; return whether a new one may be requested."""
    results = [credential.reject(token) for credential in list(_credentials)]
    return all(results)


def _public_error(error: AzureError | ValueError) -> PublicError:
    code = re.search(r"AADSTS\d+", str(error))
    if code is not None:
        return Unauthenticated(f"Azure refused this server's credential ({code[0]}).")
    if isinstance(error, ValueError):
        return StoreUnavailable("AZURE_TOKEN_CREDENTIALS or another AZURE_ variable has an invalid value.")
    if isinstance(error, ClientAuthenticationError):
        return StoreUnavailable(
            "This server has no credential for Azure: set AZURE_TENANT_ID, AZURE_CLIENT_ID and "
            "AZURE_CLIENT_SECRET, give the machine a managed identity, or run az login."
        )
    return StoreUnavailable("Azure's sign-in cannot be reached.")
