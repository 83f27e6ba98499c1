"""The length of a request's body, from its headers."""

from collections.abc import Mapping

from starlette.types import Scope


def announced_length(headers: Mapping[str, str]) -> int:
    """Return the Content-Length of a request, 0 without one."""
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() else 0


def has_body(scope: Scope) -> bool:
    """Return whether the headers of a request announce a body."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )
