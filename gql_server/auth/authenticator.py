"""Authentication of requests by one scheme."""

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Final, NoReturn

from starlette.datastructures import Headers

from gql_server.auth.api_keys import ApiKeys
from gql_server.auth.caller import ANONYMOUS, Caller
from gql_server.auth.scheme import AuthScheme, ProviderUnavailable
from gql_server.config.settings import Settings
from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError
from gql_server.runtime.limiter import Limiter, LimiterFull

_MAX_DELAYED: Final = 200
"""Failed requests that are delayed at the same time; a further one gets 503 at once."""

_CHALLENGES: Final = {
    "keys": 'Bearer realm="mlflow-gql-server"',
    "jwt": 'Bearer realm="mlflow-gql-server"',
    "pass-through": 'Basic realm="mlflow-gql-server", charset="UTF-8", Bearer realm="mlflow-gql-server"',
}


class Authenticator:
    """Authenticates requests; without a scheme, every caller is `ANONYMOUS`.

    All failures have the same response after the same delay, in seconds, so that a client gets no
    information from them and cannot try credentials quickly.
    """

    def __init__(self, scheme: AuthScheme | None, *, challenge: str, failure_delay: float) -> None:
        self._scheme = scheme
        self._challenge = challenge
        self._failure_delay = failure_delay
        self._delayed = Limiter(_MAX_DELAYED)

    async def authenticate(self, headers: Headers) -> Caller:
        """Return the caller of a request; raise `RequestError` without valid credentials."""
        if self._scheme is None:
            return ANONYMOUS
        try:
            caller = await self._scheme.authenticate(headers)
        except ProviderUnavailable:
            message = "The credentials cannot be verified now: the identity provider does not respond."
            raise RequestError.unavailable(message, ErrorCode.STORE_UNAVAILABLE) from None
        if caller is None:
            await self.reject()
        return caller

    async def reject(self) -> NoReturn:
        """Raise `RequestError`, 401 with a challenge, after the delay."""
        try:
            with self._delayed:
                await asyncio.sleep(self._failure_delay)
        except LimiterFull:
            message = "Too many requests without valid credentials."
            raise RequestError.unavailable(message, ErrorCode.OVERLOADED) from None
        message = "The request needs credentials that the server accepts."
        raise RequestError.from_message(
            message, ErrorCode.UNAUTHENTICATED, HTTPStatus.UNAUTHORIZED, www_authenticate=self._challenge
        )


def authenticator_from(settings: Settings) -> Authenticator:
    """Return the authenticator of the settings; raise `ApiKeysFileError` if the file of keys is invalid."""
    return Authenticator(
        _scheme_from(settings),
        challenge=_CHALLENGES.get(settings.auth, ""),
        failure_delay=settings.auth_failure_seconds,
    )


def _scheme_from(settings: Settings) -> AuthScheme | None:
    match settings.auth:
        case "keys":
            return ApiKeys.read(Path(settings.api_keys_file))
        case "jwt":
            from gql_server.auth.jwt_tokens import JwtTokens  # noqa: PLC0415 - imports cryptography

            return JwtTokens(
                issuer=settings.jwt_issuer,
                audience=settings.jwt_audience,
                jwks_url=settings.jwt_jwks_url,
                algorithms=settings.algorithms,
                leeway=settings.jwt_leeway,
                write_role=settings.jwt_write_role,
            )
        case "pass-through":
            from gql_server.auth.pass_through import PassThrough  # noqa: PLC0415 - imports MLflow

            return PassThrough()
    return None
