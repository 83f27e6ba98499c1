"""The messages of the protocol graphql-transport-ws.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson
from starlette.types import Message

from gql_server.live.close_code import CloseCode, SocketClosed

_TYPES: Final = frozenset({"connection_init", "ping", "pong", "subscribe", "complete"})
_WITH_ID: Final = frozenset({"subscribe", "complete"})
_MAX_ID_LENGTH: Final = 200
"""Characters of an operation's id; clients use a UUID or a number."""


class ClientMessage(NamedTuple):
    """A valid message of a client; `id` is empty where the type has none."""

    type: str
    id: str
    payload: Mapping[str, Any]


def parse_message(received: Message) -> ClientMessage:
    """Return the message in a received frame; raise `SocketClosed`, 4400, for an invalid one."""
    try:
        content = orjson.loads(received.get("text") or "")
    except orjson.JSONDecodeError:
        content = None
    fault = _fault(content)
    if fault:
        raise SocketClosed(CloseCode.BAD_REQUEST, fault)
    return ClientMessage(content["type"], content.get("id", ""), content.get("payload") or {})


def _fault(content: Any) -> str:
    """Return what is wrong with a message; an empty string for a valid one."""
    if not isinstance(content, dict):
        return "A message is a JSON object in a text frame."
    kind, payload = content.get("type"), content.get("payload")
    if not isinstance(kind, str) or kind not in _TYPES:
        return f"A client's message has one of the types {', '.join(sorted(_TYPES))}."
    if kind in _WITH_ID and not _is_id(content.get("id")):
        return f"The id of an operation is a string of 1 to {_MAX_ID_LENGTH} characters."
    if not isinstance(payload, dict | None) or (kind == "subscribe" and payload is None):
        return f"The payload of {kind} is an object."
    return ""


def encode_message(kind: str, operation_id: str | None = None, payload: bytes | None = None) -> str:
    """Return a message of the server; its payload is encoded JSON."""
    parts = [b'{"type":', orjson.dumps(kind)]
    if operation_id is not None:
        parts += [b',"id":', orjson.dumps(operation_id)]
    if payload is not None:
        parts += [b',"payload":', payload]
    return b"".join([*parts, b"}"]).decode()


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_ID_LENGTH
