"""Tests of the headers of a request as a dict."""

from typing import Any

from starlette.datastructures import Headers

from gql_server.http.request_headers import request_headers


def test_headers_have_the_values_that_starlette_returns() -> None:
    """Of repeated headers the first counts, any byte is decoded, and an absent header is None."""
    raw = [(b"accept", b"a"), (b"x", b"\xff"), (b"accept", b"b"), (b"empty", b"")]
    scope: dict[str, Any] = {"type": "http", "headers": raw}
    headers = request_headers(scope)
    for name in ("accept", "x", "empty", "absent"):
        assert headers.get(name) == Headers(raw=raw).get(name)


def test_headers_are_decoded_once() -> None:
    """All readers of one request share one dict."""
    scope: dict[str, Any] = {"type": "http", "headers": [(b"accept", b"a")]}
    assert request_headers(scope) is request_headers(scope)
