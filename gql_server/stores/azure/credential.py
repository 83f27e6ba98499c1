"""The credential of this server in Azure: whatever azure-identity finds without asking anybody, kept.

A server can open no browser and wait for no device code, which is where the plugin's own chain ends. The
plugin asks for a token with every request, too, and azure-identity's command line credentials start a process
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

_EARLY = 300.0
"""Seconds before its end in which a token is replaced, as Azure's own clients do."""
_LATE = 30.0
"""Seconds before its end from which a token is not used any more: the request has to arrive, too."""
_REMEMBERED = 10.0
"""Seconds for which a failure is the answer to all who ask: each try may start processes and wait."""
_NOBODY = {
    "exclude_interactive_browser_credential": True,
    "exclude_broker_credential": True,
    "exclude_shared_token_cache_credential": True,
    "exclude_visual_studio_code_credential": True,
}
"""What may open a window, or reads what an editor left behind."""

_log = logging.getLogger(__name__)


def unattended_credential(authority: str | None, timeout: float) -> TokenCredential:
    """Return azure-identity's chain without what needs a person.

    `timeout` is in seconds, for each process that it starts and each answer that it waits for. The chain is
    the environment's service principal, workload identity, managed identity, and the command lines that
    somebody is logged in with; `AZURE_TOKEN_CREDENTIALS` narrows it. Raises ValueError for a value of that
    variable that azure-identity does not know.
    """
    options: dict[str, Any] = {} if authority is None else {"authority": authority}
    return DefaultAzureCredential(
        process_timeout=max(1, int(timeout)),
        connection_timeout=timeout,
        read_timeout=timeout,
        retry_total=1,
        **_NOBODY,
        **options,
    )


_all: WeakSet["CachedCredential"] = WeakSet()


class CachedCredential:
    """A credential whose tokens are kept until shortly before they end; to be used from many threads.

    While a token still holds, one thread gets the next and the others go on with it. Raises
    `StoreUnavailable` where there is no credential, or Azure's sign-in cannot be reached, and
    `Unauthenticated` where Azure refused the one there is.
    """

    def __init__(self, source: Callable[[], TokenCredential]) -> None:
        self._source = source
        self._credential: TokenCredential | None = None
        self._tokens: dict[tuple[str, ...], AccessToken] = {}
        self._failure: tuple[float, PublicError] | None = None
        self._rejected = -math.inf
        self._lock = Lock()
        _all.add(self)

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        """Return a token that holds for half a minute at least."""
        token = self._kept(scopes, _EARLY)
        if token is not None:
            return token
        token = self._kept(scopes, _LATE)
        if token is None:
            with self._lock:
                return self._kept(scopes, _EARLY) or self._next(scopes)
        if not self._failed_lately() and self._lock.acquire(blocking=False):
            try:
                # Whoever had the lock until now may have got the next.
                return self._kept(scopes, _EARLY) or self._next(scopes)
            except PublicError as fault:
                _log.warning("the token for Azure could not be renewed yet: %s", fault)
            finally:
                self._lock.release()
        return token

    def reject(self, token: str) -> bool:
        """Forget a token that the service did not take, and where it came from; False where it is too soon.

        That is for what was taken back before its end: somebody logged in anew, or a role was given.
        """
        with self._lock:
            held = [scopes for scopes, kept in self._tokens.items() if kept.token == token]
            if held and time.monotonic() < self._rejected + _REMEMBERED:
                return False
            for scopes in held:
                self._rejected = time.monotonic()
                self._credential = None
                del self._tokens[scopes]
            return True

    def _kept(self, scopes: tuple[str, ...], seconds: float) -> AccessToken | None:
        token = self._tokens.get(scopes)
        return token if token is not None and token.expires_on - time.time() > seconds else None

    def _failed_lately(self) -> PublicError | None:
        if self._failure is None or time.monotonic() >= self._failure[0]:
            return None
        return self._failure[1]

    def _next(self, scopes: tuple[str, ...]) -> AccessToken:
        if (fault := self._failed_lately()) is not None:
            raise type(fault)(*fault.args)
        try:
            self._credential = self._credential or self._source()
            token = self._credential.get_token(*scopes)
        except (AzureError, ValueError) as error:
            fault = _fault_of(error)
            self._failure = (time.monotonic() + _REMEMBERED, fault)
            raise fault from error
        self._failure = None
        self._tokens[scopes] = token
        return token


def replaceable(token: str) -> bool:
    """Say whether there may be another token than this one, which the service did not take."""
    found = [credential.reject(token) for credential in list(_all)]
    return all(found)


def _fault_of(error: AzureError | ValueError) -> PublicError:
    refused = re.search(r"AADSTS\d+", str(error))
    if refused is not None:
        return Unauthenticated(f"Azure refused this server's credential ({refused[0]}).")
    if isinstance(error, ValueError):
        return StoreUnavailable("AZURE_TOKEN_CREDENTIALS, or another AZURE_ variable, has a wrong value.")
    if isinstance(error, ClientAuthenticationError):
        return StoreUnavailable(
            "There is no credential for Azure here: set AZURE_TENANT_ID, AZURE_CLIENT_ID and "
            "AZURE_CLIENT_SECRET, give the machine a managed identity, or run az login."
        )
    return StoreUnavailable("Azure's sign-in cannot be reached.")
