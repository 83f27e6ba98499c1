"""Which names the server answers to: a page of another site can make its own name mean this machine.

Such DNS rebinding needs a name that the attacker rules, so addresses and localhost are always right; any
other name must be listed. Starlette's own middleware knows no rule for addresses.
"""

from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.http.errors import FORBIDDEN
from gql_server.http.responses import error_reply

_ANY = "*"
_FORBIDDEN = 403


class TrustedHostMiddleware:
    """Middleware that refuses requests, and WebSocket handshakes, for other names than the listed."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self._app = app
        self._names = names
        self._under = tuple(name[1:] for name in names if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is for this server."""
        if scope["type"] not in {"http", "websocket"} or self._right(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            text = "The server does not answer to this Host; its operator can list it (GQL_ALLOWED_HOSTS)."
            await error_reply(_FORBIDDEN, text, FORBIDDEN)(scope, receive, send)

    def _right(self, scope: Scope) -> bool:
        if _ANY in self._names:
            return True
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1:
            return False
        name = host_name(hosts[0].decode("latin-1"))
        return name == "localhost" or name in self._names or name.endswith(self._under) or _is_address(name)


def host_name(host: str) -> str:
    """Return the name in a Host header, without its port; empty where there is none."""
    name, colon, port = host.lower().rpartition(":")
    if not colon or not (port.isdigit() or not port) or name.endswith(":"):
        name = host.lower()
    return name.removeprefix("[").removesuffix("]").removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
