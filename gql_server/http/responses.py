"""Responses: one shape for answers and for errors, with the headers that caches and browsers go by."""

import asyncio
from collections.abc import Mapping
from hashlib import blake2b
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gql_server.http.compression import encoded, encoding_for
from gql_server.http.errors import plain_error
from gql_server.http.negotiation import JSON

VARY = "Accept, Accept-Encoding, Authorization, Origin"
"""What an answer may depend on beside its address."""

_ALWAYS = {"vary": VARY, "x-content-type-options": "nosniff"}
_IN_A_THREAD = 64_000
"""Bytes from which a thread does the work, so that the event loop is free meanwhile."""


def error_reply(
    status: HTTPStatus | int, message: str, code: str, media_type: str = JSON, **headers: str
) -> Response:
    """Return a response that is one error."""
    return errors_reply(status, [plain_error(message, code)], media_type, **headers)


def errors_reply(
    status: HTTPStatus | int, errors: list[dict[str, Any]], media_type: str = JSON, **headers: str
) -> Response:
    """Return a response that is these errors alone; nobody is to keep it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return reply(orjson.dumps({"errors": errors}), status, media_type, {"cache-control": "no-store", **named})


def reply(
    body: bytes | memoryview, status: HTTPStatus | int, media_type: str, headers: Mapping[str, str]
) -> Response:
    """Return a response with this body in JSON."""
    return Response(body, int(status), {**_ALWAYS, **headers}, media_type=f"{media_type}; charset=utf-8")


async def finished(request: Request, response: Response) -> Response:
    """Return the response as it is sent: compressed, tagged, or without what the client has already."""
    reads = request.method in {"GET", "HEAD"}
    tagged = reads and response.status_code == HTTPStatus.OK
    body = response.body
    encoding = encoding_for(request.headers.get("accept-encoding", ""), len(body))
    if tagged or encoding:
        work = _work if len(body) < _IN_A_THREAD else _threaded
        tag, body = await work(body, encoding, tagged=tagged)
        headers = response.headers
        if tag:
            headers["etag"] = tag
            # Kept by the client alone, and only to be asked about again.
            headers["cache-control"] = "private, no-cache"
            if _has(request.headers.get("if-none-match", ""), tag):
                kept = {name: headers[name] for name in ("etag", "cache-control", "vary")}
                return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=kept)
        if encoding:
            headers["content-encoding"] = encoding
            headers["content-length"] = str(len(body))
    # The length stays that of what a GET would bring.
    response.body = b"" if request.method == "HEAD" else body
    return response


def _tag_of(body: bytes | memoryview) -> str:
    # Weak: the same answer in another encoding is as good.
    return f'W/"{blake2b(body, digest_size=16).hexdigest()}"'


async def _work(body: bytes | memoryview, encoding: str | None, *, tagged: bool) -> Any:
    return _worked(body, encoding, tagged=tagged)


async def _threaded(body: bytes | memoryview, encoding: str | None, *, tagged: bool) -> Any:
    return await asyncio.to_thread(_worked, body, encoding, tagged=tagged)


def _worked(
    body: bytes | memoryview, encoding: str | None, *, tagged: bool
) -> tuple[str | None, bytes | memoryview]:
    return _tag_of(body) if tagged else None, encoded(body, encoding) if encoding else body


def _has(if_none_match: str, tag: str) -> bool:
    tags = {entry.strip() for entry in if_none_match.split(",")}
    return "*" in tags or tag in tags or tag.removeprefix("W/") in tags
