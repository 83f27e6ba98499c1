"""The door: each request is let in as a caller, or not at all."""

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import NoReturn, Protocol

from starlette.datastructures import Headers

from gql_server.auth.api_keys import ApiKeys
from gql_server.auth.caller import ANYONE, Caller
from gql_server.auth.jwks import ProviderUnavailable
from gql_server.auth.jwt_tokens import JwtTokens
from gql_server.auth.pass_through import PassThrough
from gql_server.config.settings import Settings
from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError

_WAITING = 200
"""Who failed and is kept waiting at once; more are refused without an answer to their question."""

_CHALLENGES = {
    "keys": 'Bearer realm="mlflow-gql-server"',
    "jwt": 'Bearer realm="mlflow-gql-server"',
    "pass-through": 'Basic realm="mlflow-gql-server", charset="UTF-8", Bearer realm="mlflow-gql-server"',
}


class AuthScheme(Protocol):
    """Knows callers by what their requests bring."""

    async def find(self, headers: Headers) -> Caller | None:
        """Return who it is; None where the request does not say so credibly."""
        ...


class Authenticator:
    """Lets callers in; failures all look alike and take a while, so that nothing is learnt by trying."""

    def __init__(self, finder: AuthScheme | None, *, kind: str = "off", patience: float = 0.5) -> None:
        self._finder = finder
        self._challenge = _CHALLENGES.get(kind, "")
        self._patience = patience
        self._waiting = 0

    async def let_in(self, headers: Headers) -> Caller:
        """Return who asks; raise Refusal where that is not known."""
        if self._finder is None:
            return ANYONE
        try:
            caller = await self._finder.find(headers)
        except ProviderUnavailable:
            text = "Who asks cannot be checked now: the identity provider does not answer."
            raise RequestError.unavailable(text, ErrorCode.STORE_UNAVAILABLE) from None
        if caller is None:
            await self.refuse()
        return caller

    async def refuse(self) -> NoReturn:
        """Raise the refusal of who is not known, after the wait that all of them have."""
        await self._keep_waiting()
        text = "The request needs credentials that the server accepts."
        raise RequestError.from_message(
            text, ErrorCode.UNAUTHENTICATED, HTTPStatus.UNAUTHORIZED, www_authenticate=self._challenge
        )

    async def _keep_waiting(self) -> None:
        if self._waiting >= _WAITING:
            text = "Too many requests fail to say who asks."
            raise RequestError.unavailable(text, ErrorCode.OVERLOADED)
        self._waiting += 1
        try:
            await asyncio.sleep(self._patience)
        finally:
            self._waiting -= 1


def authenticator_from(settings: Settings) -> Authenticator:
    """Return the door that the settings name; raise BadKeys where the file of keys is not usable."""
    return Authenticator(_finder_of(settings), kind=settings.auth, patience=settings.auth_failure_seconds)


def _finder_of(settings: Settings) -> AuthScheme | None:
    match settings.auth:
        case "keys":
            return ApiKeys.read(Path(settings.api_keys_file))
        case "jwt":
            return JwtTokens(
                issuer=settings.jwt_issuer,
                audience=settings.jwt_audience,
                jwks_url=settings.jwt_jwks_url,
                algorithms=settings.algorithms,
                leeway=settings.jwt_leeway,
                write_role=settings.jwt_write_role,
            )
        case "pass-through":
            return PassThrough()
    return None
