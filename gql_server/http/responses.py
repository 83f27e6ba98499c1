"""Responses in JSON, with the headers that caches and browsers use."""

import asyncio
from collections.abc import Mapping
from hashlib import blake2b
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gql_server.http.compression import compress, encoding_for

VARY: Final = "Accept, Accept-Encoding, Authorization, Origin"
"""The request headers that a response depends on."""

_HEADERS: Final = {"vary": VARY, "x-content-type-options": "nosniff"}
_THREAD_BYTES: Final = 64_000
"""The size from which a body is hashed and compressed in a thread, so that the event loop is not blocked."""


def json_response(
    body: bytes | memoryview, status: HTTPStatus, media_type: str, headers: Mapping[str, str]
) -> Response:
    """Return a response with this encoded body."""
    return Response(body, status, {**_HEADERS, **headers}, media_type=f"{media_type}; charset=utf-8")


async def finalize(request: Request, response: Response) -> Response:
    """Return the response to send: compressed, with an ETag, or 304 if the client has it already."""
    is_read = request.method in {"GET", "HEAD"}
    tagged = is_read and response.status_code == HTTPStatus.OK
    body = response.body
    encoding = encoding_for(request.headers.get("accept-encoding", ""), len(body))
    if tagged or encoding:
        tag, body = await _tag_and_encode(body, encoding, tagged=tagged)
        headers = response.headers
        if tag:
            headers["etag"] = tag
            # Only the client may store the response, and has to revalidate it.
            headers["cache-control"] = "private, no-cache"
            if _matches(request.headers.get("if-none-match", ""), tag):
                remaining = {name: headers[name] for name in ("etag", "cache-control", "vary")}
                return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=remaining)
        if encoding:
            headers["content-encoding"] = encoding
            headers["content-length"] = str(len(body))
    # Content-Length stays that of the response to a GET.
    response.body = b"" if request.method == "HEAD" else body
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
