"""The parser that the server uses."""

import asyncio
from importlib.util import find_spec


def http_protocol() -> type[asyncio.Protocol]:
    """Return the class for connections: with httptools if it is installed, which is faster, or else h11."""
    if find_spec("httptools") is None:
        from gql_server.http.parsers.h11_protocol import BoundedH11Protocol  # noqa: PLC0415 - one of the two

        return BoundedH11Protocol
    from gql_server.http.parsers.httptools_protocol import BoundedHttpToolsProtocol  # noqa: PLC0415

    return BoundedHttpToolsProtocol
