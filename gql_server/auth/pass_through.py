"""Pass-through authentication: the caller's own credentials go to the MLflow server, which verifies them.

MLflow's client has one identity per process. Its authentication plugins are called for each request, in the
thread that sends it. The plugin here sends the credentials of `current_caller`.
"""

import os
from functools import partial
from hashlib import blake2b
from http import HTTPStatus
from secrets import token_bytes
from typing import Final

from mlflow.tracking.request_auth.abstract_request_auth_provider import RequestAuthProvider
from mlflow.tracking.request_auth.registry import _request_auth_provider_registry
from requests import PreparedRequest, Response
from requests.auth import AuthBase
from starlette.datastructures import Headers
from typing_extensions import override

from gql_server.auth.caller import Caller, current_caller
from gql_server.auth.credentials import basic_credentials, bearer_token
from gql_server.auth.scheme import AuthScheme
from gql_server.auth.verified_principals import VerifiedPrincipals

_PROVIDER_NAME: Final = "gql-caller"
_SECRET: Final = token_bytes(32)
"""A key of this process only, so that a cache key in Redis reveals nothing about a password."""

_VERIFIED: Final = VerifiedPrincipals(limit=10_000)
_API: Final = "api/2.0/mlflow"
"""A part of the URLs for which MLflow checks credentials; it has public URLs too, for health and version."""


class PassThrough(AuthScheme):
    """Accepts all callers with credentials: the MLflow server verifies them."""

    @override
    async def authenticate(self, headers: Headers) -> Caller | None:
        basic, token = basic_credentials(headers), bearer_token(headers)
        if basic is None and token is None:
            return None
        authorization = headers["authorization"]
        principal = blake2b(authorization.encode(), key=_SECRET, digest_size=16).hexdigest()
        name = f"basic:{basic.user}" if basic else f"bearer:{principal[:8]}"
        return Caller(
            name,
            may_write=True,
            principal=principal,
            authorization=authorization,
            verified=principal in _VERIFIED,
        )


class _CallerAuth(AuthBase):
    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Set the caller's credentials, and remove those of others: MLflow's sessions share cookies."""
        caller = current_caller.get()
        for name in ("Authorization", "Cookie"):
            request.headers.pop(name, None)
        if caller is not None and caller.authorization is not None:
            request.headers["Authorization"] = caller.authorization
            request.register_hook(  # type: ignore[no-untyped-call]
                "response", partial(_update_verified, caller.principal or "")
            )
        return request


def _update_verified(principal: str, response: Response, **_: object) -> None:
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        _VERIFIED.update(principal, accepted=False)
    elif response.ok and _API in response.url:
        _VERIFIED.update(principal, accepted=True)


class _CallerAuthProvider(RequestAuthProvider):
    def get_name(self) -> str:
        return _PROVIDER_NAME

    def get_auth(self) -> AuthBase:
        return _CallerAuth()


_request_auth_provider_registry.register(_CallerAuthProvider)


def pass_credentials_through() -> None:
    """Make every request of MLflow's client in this process use the credentials of `current_caller`."""
    os.environ["MLFLOW_TRACKING_AUTH"] = _PROVIDER_NAME
    # The plugin is not called for a redirect, which would carry the session's cookies.
    os.environ["MLFLOW_ALLOW_HTTP_REDIRECTS"] = "false"
    os.environ.pop("MLFLOW_TRACKING_AWS_SIGV4", None)
