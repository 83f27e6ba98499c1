"""The interface of an authentication scheme."""

from typing import Protocol

from starlette.datastructures import Headers

from gql_server.auth.caller import Caller


class ProviderUnavailable(Exception):
    """The identity provider does not respond now, so no credentials can be verified."""


class AuthScheme(Protocol):
    """Authenticates requests by their headers."""

    async def authenticate(self, headers: Headers) -> Caller | None:
        """Return the caller; None without valid credentials.

        Raises `ProviderUnavailable` if the credentials cannot be verified now.
        """
        ...
