"""Limits on a request's URL and headers, and the transfer codings that are understood.

httptools limits the URL and not the headers, and the time to parse some headers grows with their size,
before the caller is authenticated. It also takes `Transfer-Encoding: gzip, chunked` for `chunked`.
"""

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.http.error_responses import error_response
from gql_server.http.parsers.limits import MAX_HEADER_BYTES, MAX_URL_BYTES
from gql_server.http.parsers.refusal import MALFORMED, UNKNOWN_CODING, Refusal, large_headers, long_url
from gql_server.http.request_error import RequestError

_LENGTH: Final = b"content-length"
_CODING: Final = b"transfer-encoding"


class RequestHeadMiddleware:
    """Middleware that responds with 414, 431, 501 and 400 to requests whose head is not acceptable."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if its head is acceptable."""
        refusal = _refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            error = RequestError.from_message(refusal.message, refusal.code, refusal.status)
            await error_response(scope, error)(scope, receive, send)


def _refusal(scope: Scope) -> Refusal | None:
    # The question mark counts as well.
    if len(scope.get("raw_path") or b"") + 1 + len(scope["query_string"]) > MAX_URL_BYTES:
        return long_url(MAX_URL_BYTES)
    size, codings, has_length = 0, [], False
    for name, value in scope["headers"]:
        size += len(name) + len(value)
        if name == _CODING:
            codings.append(value)
        elif name == _LENGTH:
            has_length = True
    if size > MAX_HEADER_BYTES:
        return large_headers(MAX_HEADER_BYTES)
    return _refused_coding(scope, codings, has_length=has_length) if codings else None


def _refused_coding(scope: Scope, codings: list[bytes], *, has_length: bool) -> Refusal | None:
    if [coding.strip().lower() for coding in codings] != [b"chunked"]:
        return UNKNOWN_CODING
    # Two servers in a row can see different ends of such a message (RFC 9112, 6.1).
    return MALFORMED if has_length or scope["http_version"] == "1.0" else None
