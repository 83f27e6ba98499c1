"""Compression of responses that are sent in parts, while they are sent."""

import asyncio
from http import HTTPStatus
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gql_server.http.compression import Compressor, compressor, encoding_for
from gql_server.http.request_headers import request_headers

_MEDIA_TYPES: Final = ("text/", "application/vnd.apache.arrow.", "application/x-ndjson", "application/json")
"""Starts of the media types that are compressed. Parquet has its own compression inside."""
_WHOLE_BYTES: Final = 1_000_000
"""The size up to which a body is compressed as a whole, so that the response has a length."""
_THREAD_BYTES: Final = 64_000
"""The size from which a part is compressed in a thread, so that the event loop is not blocked."""


class StreamedCompressionMiddleware:
    """Middleware that compresses whole successful responses to GET and HEAD, by Accept-Encoding.

    A response to a request for a range is not compressed: the range counts the bytes before compression. Nor
    is one that says it has ranges: its length has to be that of HEAD, by which clients request them.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and compress its response."""
        await self._app(scope, receive, _CompressedResponse(scope, send).send)


class _CompressedResponse:
    def __init__(self, scope: Scope, send: Send) -> None:
        self._request = request_headers(scope)
        self._has_body = scope["method"] != "HEAD"
        self._send = send
        self._compressor: Compressor | None = None
        self._start_message: Message | None = None
        """The start of a response whose whole body is compressed before it is sent."""
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        """Send a message of the response."""
        if message["type"] == "http.response.start":
            self._start(message)
            if self._start_message is not None:
                return
        elif self._start_message is not None and self._compressor is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_whole(self._start_message, self._compressor)
            return
        elif self._compressor is not None and self._has_body:
            body, is_last = message.get("body", b""), not message.get("more_body", False)
            message = {**message, "body": await _compress(self._compressor, body, is_last=is_last)}
            if not is_last and not message["body"]:
                return
        await self._send(message)

    def _start(self, message: Message) -> None:
        headers = MutableHeaders(raw=message["headers"])
        if not headers.get("content-type", "").startswith(_MEDIA_TYPES) or "content-encoding" in headers:
            return
        headers.add_vary_header("Accept-Encoding")
        length = headers.get("content-length")
        size = None if length is None else int(length)
        encoding = encoding_for(self._request.get("accept-encoding", ""), size)
        has_ranges = "range" in self._request or headers.get("accept-ranges") == "bytes"
        if encoding is None or message["status"] != HTTPStatus.OK or has_ranges:
            return
        self._compressor = compressor(encoding)
        headers["content-encoding"] = encoding
        # The length of the compressed body is not known yet, and a range of it cannot be sent.
        del headers["content-length"]
        headers["accept-ranges"] = "none"
        if (tag := headers.get("etag")) is not None and not tag.startswith("W/"):
            headers["etag"] = f"W/{tag}"
        if size is not None and size <= _WHOLE_BYTES and self._has_body:
            self._start_message = message

    async def _send_whole(self, start: Message, compressor: Compressor) -> None:
        body = await _compress(compressor, bytes(self._body), is_last=True)
        MutableHeaders(raw=start["headers"])["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


async def _compress(compressor: Compressor, body: bytes, *, is_last: bool) -> bytes:
    def work() -> bytes:
        return compressor.compress(body) + (compressor.flush() if is_last else b"")

    return work() if len(body) < _THREAD_BYTES else await asyncio.to_thread(work)
