"""Cursors: a position in an ordered search, with a fingerprint of that search."""

import base64
import binascii
import json
from collections.abc import Hashable
from hashlib import blake2b

from schema.ports.errors import BadUserInput
from schema.ports.tracking import Position


def fingerprint(*search: Hashable) -> str:
    """Return a short hash of a search. The arguments must be plain records, whose `repr` is hashed."""
    return blake2b(repr(search).encode(), digest_size=6).hexdigest()


def encode_cursor(search_fingerprint: str, position: Position) -> str:
    """Return the cursor of a position in the search with this fingerprint."""
    text = json.dumps([search_fingerprint, *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def decode_cursor(search_fingerprint: str, cursor: str) -> Position:
    """Return the position of a cursor; raise `BadUserInput` if it is malformed or of another search."""
    try:
        content = json.loads(base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        content = None
    if not isinstance(content, list) or not content or not isinstance(content[0], str):
        message = "after is not a cursor of this server."
        raise BadUserInput(message)
    if content[0] != search_fingerprint:
        message = "after is a cursor of another query. A cursor is valid only with the same arguments."
        raise BadUserInput(message)
    return content[1:]
