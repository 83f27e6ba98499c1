"""Pass-through: the caller's own credentials go to the MLflow server, which decides.

MLflow's client knows one identity a process. Its plugins for authentication are called for each request, in
the thread that sends it: this one takes the credentials of whoever is being answered there.
"""

import os
from functools import partial
from hashlib import blake2b
from http import HTTPStatus
from secrets import token_bytes

from mlflow.tracking.request_auth.abstract_request_auth_provider import RequestAuthProvider
from mlflow.tracking.request_auth.registry import _request_auth_provider_registry
from requests import PreparedRequest, Response
from requests.auth import AuthBase
from starlette.datastructures import Headers

from gql_server.auth.caller import Caller, current
from gql_server.auth.credentials import basic_credentials, bearer_token
from gql_server.auth.verified_principals import VerifiedPrincipals

_NAME = "gql-caller"
_SECRET = token_bytes(32)
"""Of this process alone: what is kept under a caller's key in Redis says nothing of their password."""

_PROVEN = VerifiedPrincipals(most=10_000)
_API = "api/2.0/mlflow"
"""What is in the addresses that MLflow asks for credentials; its health and version are for anyone."""


class PassThrough:
    """Takes whoever brings credentials: the MLflow server says what they are worth."""

    async def find(self, headers: Headers) -> Caller | None:
        """Return the caller that the credentials stand for; None where there are none."""
        basic, token = basic_credentials(headers), bearer_token(headers)
        if basic is None and token is None:
            return None
        given = headers["authorization"]
        principal = blake2b(given.encode(), key=_SECRET, digest_size=16).hexdigest()
        name = f"basic:{basic.user}" if basic else f"bearer:{principal[:8]}"
        return Caller(
            name,
            may_write=True,
            principal=principal,
            authorization=given,
            proven=principal in _PROVEN,
        )


class _CallersAuth(AuthBase):
    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Send what the caller brought, and nothing of another: MLflow's sessions keep cookies for all."""
        caller = current.get()
        for name in ("Authorization", "Cookie"):
            request.headers.pop(name, None)
        if caller is not None and caller.authorization is not None:
            request.headers["Authorization"] = caller.authorization
            request.register_hook(  # type: ignore[no-untyped-call]
                "response", partial(_learn, caller.principal or "")
            )
        return request


def _learn(principal: str, response: Response, **_: object) -> None:
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        _PROVEN.learn(principal, accepted=False)
    elif response.ok and _API in response.url:
        _PROVEN.learn(principal, accepted=True)


class _Provider(RequestAuthProvider):
    def get_name(self) -> str:
        return _NAME

    def get_auth(self) -> AuthBase:
        return _CallersAuth()


_request_auth_provider_registry.register(_Provider)


def pass_credentials_through() -> None:
    """Make all requests of MLflow's client in this process carry the credentials of who is being answered."""
    os.environ["MLFLOW_TRACKING_AUTH"] = _NAME
    # A redirect would be sent the session's cookies after all.
    os.environ["MLFLOW_ALLOW_HTTP_REDIRECTS"] = "false"
    os.environ.pop("MLFLOW_TRACKING_AWS_SIGV4", None)
