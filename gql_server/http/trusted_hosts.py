"""The Host headers that the server accepts, against DNS rebinding.

In DNS rebinding, a page of another site makes its own name resolve to this machine. That needs a name that
the attacker controls, so addresses and localhost are always accepted, and any other name must be listed.
Starlette's own middleware has no rule for addresses.
"""

import re
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.http.error_codes import ErrorCode
from gql_server.http.error_responses import error_response
from gql_server.http.request_error import RequestError

_ANY: Final = "*"
_NAME: Final = re.compile(r"(?P<name>[a-z0-9._-]+)(:[0-9]*)?")
_IPV6: Final = re.compile(r"\[(?P<address>[0-9a-f.:]+)\](:[0-9]*)?|(?P<bare>[0-9a-f.]*:[0-9a-f.:]*)")
_CACHED_HOSTS: Final = 20
"""Host headers whose check is cached: nearly all requests have the same one, of up to 64 kB."""


class TrustedHostMiddleware:
    """Middleware that refuses requests, and WebSocket handshakes, whose Host is not listed."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self._app = app
        self._names = names
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*."))
        self._is_accepted_host = lru_cache(_CACHED_HOSTS)(self._check)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if its Host is accepted."""
        if scope["type"] not in {"http", "websocket"} or self._is_accepted(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            message = "The server does not accept this Host; the operator can list it (GQL_ALLOWED_HOSTS)."
            error = RequestError.from_message(message, ErrorCode.FORBIDDEN, HTTPStatus.FORBIDDEN)
            await error_response(scope, error)(scope, receive, send)

    def _is_accepted(self, scope: Scope) -> bool:
        if _ANY in self._names:
            return True
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1:
            return False
        return self._is_accepted_host(hosts[0])

    def _check(self, host: bytes) -> bool:
        name = host_name(host.decode("latin-1"))
        return bool(name) and (
            name == "localhost" or name in self._names or name.endswith(self._suffixes) or _is_address(name)
        )


def host_name(host: str) -> str:
    """Return the name in a Host header without its port; an empty string if it has no valid one."""
    text = host.lower()
    if match := _NAME.fullmatch(text):
        return match["name"].removesuffix(".")
    if match := _IPV6.fullmatch(text):
        return match["address"] or match["bare"]
    return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
