"""Protection against cross-site request forgery: requests that a page of another site makes a browser send.

A body must be application/json, which a browser sends across sites only after a CORS preflight, so no form
can send one. A GET needs no preflight; browsers declare its origin in Sec-Fetch-Site or Origin, and a header
of `PREFLIGHT_HEADERS` proves that there was a preflight. The rules are those of Apollo Server.
"""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError
from gql_server.http.request_headers import request_headers

PREFLIGHT_HEADERS: Final = (
    "x-apollo-operation-name",
    "apollo-require-preflight",
    "graphql-require-preflight",
)
"""Headers that a page can send to another site only after a CORS preflight."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that change nothing."""

_CROSS_SITE: Final = frozenset({"cross-site", "same-site"})


class CsrfMiddleware:
    """Middleware that refuses cross-site requests, except those of the listed origins.

    Requests with an exempt method are passed on. With `get_needs_header`, every request but a POST needs one
    of the `PREFLIGHT_HEADERS`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        allowed_origins: Collection[str],
        exempt_methods: Collection[str] = (),
        get_needs_header: bool = False,
    ) -> None:
        self._app = app
        self._allowed_origins = allowed_origins
        self._exempt_methods = exempt_methods
        self._get_needs_header = get_needs_header

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it is not forged."""
        if scope["method"] not in self._exempt_methods:
            self._check(scope["method"], request_headers(scope))
        await self._app(scope, receive, send)

    def _check(self, method: str, headers: Mapping[str, str]) -> None:
        origin = headers.get("origin")
        if _is_listed(origin, self._allowed_origins):
            return
        if not headers.keys().isdisjoint(PREFLIGHT_HEADERS):
            return
        if self._get_needs_header and method != "POST":
            names = ", ".join(PREFLIGHT_HEADERS)
            message = f"A GET needs one of the headers {names} (GQL_GET_NEEDS_HEADER)."
            raise _forbidden(message)
        check_origin(headers, self._allowed_origins)


def check_origin(headers: Mapping[str, str], allowed_origins: Collection[str]) -> None:
    """Raise `RequestError` for a cross-site request, or WebSocket handshake, of an origin that is not listed.

    A request without an origin is not from a page.
    """
    origin = headers.get("origin")
    if not _is_listed(origin, allowed_origins) and _is_cross_site(headers, origin):
        message = "Cross-site requests are refused; the operator can list the site (GQL_ALLOWED_ORIGINS)."
        raise _forbidden(message)


def _is_listed(origin: str | None, allowed_origins: Collection[str]) -> bool:
    return origin is not None and (origin in allowed_origins or "*" in allowed_origins)


def _is_cross_site(headers: Mapping[str, str], origin: str | None) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return not _CROSS_SITE.isdisjoint(site.split(", "))
    # Browsers before 2023, and all browsers over plain HTTP to other machines, send no Sec-Fetch-Site.
    return origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower()


def _forbidden(message: str) -> RequestError:
    return RequestError.from_message(message, ErrorCode.FORBIDDEN, HTTPStatus.FORBIDDEN)
