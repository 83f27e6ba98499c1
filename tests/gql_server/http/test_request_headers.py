"""Tests of the headers of a request as a dict."""

from typing import Any

from starlette.datastructures import Headers

from gql_server.http.request_headers import request_headers


def test_headers_have_the_values_that_starlette_returns() -> None:
    """Any byte is decoded, and an absent header is None."""
    raw = [(b"accept", b"a"), (b"x", b"\xff"), (b"empty", b"")]
    scope: dict[str, Any] = {"type": "http", "headers": raw}
    headers = request_headers(scope)
    for name in ("accept", "x", "empty", "absent"):
        assert headers.get(name) == Headers(raw=raw).get(name)


def test_repeated_headers_are_one_list() -> None:
    """The values of repeated headers are one list (RFC 9110, 5.3), of which none is preferred."""
    raw = [(b"accept", b"a"), (b"x", b"y"), (b"accept", b"b"), (b"accept", b"")]
    scope: dict[str, Any] = {"type": "http", "headers": raw}
    assert request_headers(scope) == {"accept": "a, b, ", "x": "y"}


def test_headers_are_decoded_once() -> None:
    """All readers of one request share one dict."""
    scope: dict[str, Any] = {"type": "http", "headers": [(b"accept", b"a")]}
    assert request_headers(scope) is request_headers(scope)
