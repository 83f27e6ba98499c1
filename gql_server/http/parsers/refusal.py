"""A response that a parser sends without the application."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final, NamedTuple

import orjson

from gql_server.http.error_codes import ErrorCode
from gql_server.http.error_entries import error_entry
from gql_server.http.parsers.chunk_count import MAX_SMALL_CHUNKS, MIN_CHUNK_BYTES


class Refusal(NamedTuple):
    """The status, message and code of the response to a request that a parser does not read."""

    status: HTTPStatus
    message: str
    code: str

    def response(self, default_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Return the response, after which the connection is closed."""
        body = orjson.dumps({"errors": [error_entry(self.message, self.code)]})
        headers = [
            *default_headers,
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (self.status, self.status.phrase.encode(), lines, body)


MALFORMED: Final = Refusal(
    HTTPStatus.BAD_REQUEST, "The request is not valid HTTP/1.1.", ErrorCode.BAD_USER_INPUT
)
UNKNOWN_CODING: Final = Refusal(
    HTTPStatus.NOT_IMPLEMENTED, "The only supported Transfer-Encoding is chunked.", ErrorCode.BAD_USER_INPUT
)
SMALL_CHUNKS: Final = Refusal(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    f"The body has more than {MAX_SMALL_CHUNKS} chunks, and their mean is below {MIN_CHUNK_BYTES} bytes; "
    "send larger ones.",
    ErrorCode.LIMIT_EXCEEDED,
)


def long_url(limit: int) -> Refusal:
    """Return the refusal of a URL with more than `limit` bytes."""
    message = f"The URL of the request has more than {limit} bytes; send a POST instead."
    return Refusal(HTTPStatus.REQUEST_URI_TOO_LONG, message, ErrorCode.LIMIT_EXCEEDED)


def large_headers(limit: int) -> Refusal:
    """Return the refusal of headers or trailers with more than `limit` bytes."""
    message = f"The headers of the request have more than {limit} bytes."
    return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, message, ErrorCode.LIMIT_EXCEEDED)
