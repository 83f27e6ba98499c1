"""Responses in JSON, with the headers that caches and browsers use."""

import asyncio
from collections.abc import Mapping
from hashlib import blake2b
from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.types import Scope

from gql_server.http.compression import compress, encoding_for
from gql_server.http.request_headers import request_headers

VARY: Final = "Accept, Accept-Encoding, Authorization, Origin"
"""The request headers that a response depends on."""

_HEADERS: Final = ((b"vary", VARY.encode()), (b"x-content-type-options", b"nosniff"))
_THREAD_BYTES: Final = 64_000
"""The size from which a body is hashed and compressed in a thread, so that the event loop is not blocked."""


def json_response(
    body: bytes | memoryview, status: HTTPStatus, media_type: str, headers: Mapping[str, str]
) -> Response:
    """Return a response with this encoded body."""
    return _JSONResponse(body, status, media_type, headers)


class _JSONResponse(Response):
    """A response that makes its headers in a fifth of the time of Starlette's."""

    def __init__(
        self, body: bytes | memoryview, status: HTTPStatus, media_type: str, headers: Mapping[str, str]
    ) -> None:
        self.status_code = int(status)
        self.body = body
        self.background = None
        self.raw_headers = [
            *_HEADERS,
            (b"content-length", b"%d" % len(body)),
            (b"content-type", b"%b; charset=utf-8" % media_type.encode("latin-1")),
        ]
        for name, value in headers.items():
            self.raw_headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))


async def finalize(scope: Scope, response: Response) -> Response:
    """Return the response to send: compressed, with an ETag, or 304 if the client has it already."""
    headers = request_headers(scope)
    is_read = scope["method"] in {"GET", "HEAD"}
    tagged = is_read and response.status_code == HTTPStatus.OK
    body = response.body
    encoding = encoding_for(headers.get("accept-encoding", ""), len(body))
    if tagged or encoding:
        tag, body = await _tag_and_encode(body, encoding, tagged=tagged)
        sent = response.headers
        if tag:
            sent["etag"] = tag
            # Only the client may store the response, and has to revalidate it.
            sent["cache-control"] = "private, no-cache"
            if _matches(headers.get("if-none-match", ""), tag):
                remaining = {name: sent[name] for name in ("etag", "cache-control", "vary")}
                return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=remaining)
        if encoding:
            sent["content-encoding"] = encoding
            sent["content-length"] = str(len(body))
    # Content-Length stays that of the response to a GET.
    response.body = b"" if scope["method"] == "HEAD" else body
    return response


async def _tag_and_encode(
    body: bytes | memoryview, encoding: str | None, *, tagged: bool
) -> tuple[str | None, bytes | memoryview]:
    def work() -> tuple[str | None, bytes | memoryview]:
        return _tag_of(body) if tagged else None, compress(body, encoding) if encoding else body

    return work() if len(body) < _THREAD_BYTES else await asyncio.to_thread(work)


def _tag_of(body: bytes | memoryview) -> str:
    # Weak, because the tag is the same in every encoding.
    return f'W/"{blake2b(body, digest_size=16).hexdigest()}"'


def _matches(if_none_match: str, tag: str) -> bool:
    tags = {entry.strip() for entry in if_none_match.split(",")}
    return "*" in tags or tag in tags or tag.removeprefix("W/") in tags
