"""Cursors: a place in an ordered search, bound to the search that it belongs to."""

import base64
import binascii
import json
from collections.abc import Hashable
from hashlib import blake2b

from schema.ports.errors import BadUserInput
from schema.ports.tracking import Position


def fingerprint(*search: Hashable) -> str:
    """Return a short text that tells searches apart; the search's plain records are its only input."""
    return blake2b(repr(search).encode(), digest_size=6).hexdigest()


def seal(mark: str, position: Position) -> str:
    """Write a place in the search with this fingerprint as a cursor."""
    text = json.dumps([mark, *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def unseal(mark: str, cursor: str) -> Position:
    """Return the place that a cursor names; BadUserInput if it is garbled or of another search."""
    try:
        content = json.loads(base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        content = None
    if not isinstance(content, list) or not content or not isinstance(content[0], str):
        message = "after is not a cursor of this server."
        raise BadUserInput(message)
    if content[0] != mark:
        message = "after is a cursor of another query; a cursor holds for the same arguments only."
        raise BadUserInput(message)
    return content[1:]
