"""The credentials of a WebSocket."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.types import Scope

_NAMES: Final = frozenset({"authorization", "x-api-key"})


def socket_headers(scope: Scope, payload: Mapping[str, Any]) -> Headers:
    """Return the headers to authenticate: those of the handshake, and the credentials of `connection_init`.

    Browsers cannot set headers of a handshake, so credentials in the payload replace those of the handshake.
    Names are compared without case, as those of headers.
    """
    given = [
        (name.lower().encode(), value.encode("utf-8", "surrogatepass"))
        for name, value in payload.items()
        if name.lower() in _NAMES and isinstance(value, str)
    ]
    if not given:
        return Headers(raw=scope["headers"])
    kept = [(name, value) for name, value in scope["headers"] if name.decode("latin-1") not in _NAMES]
    return Headers(raw=[*kept, *given])
