"""Keys: what an entry is the answer to, as a short text that is equal for equal questions alone."""

from collections.abc import Sequence
from hashlib import blake2b
from json import JSONEncoder
from typing import TypeAlias

Part: TypeAlias = "bool | int | float | str | Sequence[Part] | None"

_DIGEST_BYTES = 16
"""128 bits: nobody finds the key of another caller's entry by trying."""

# The standard encoder escapes lone surrogates, which orjson refuses, and takes nothing but plain values.
_encode = JSONEncoder(separators=(",", ":")).encode


class CacheKey:
    """A question: its kind, who asks, and whatever else the answer depends on.

    `principal` is the caller where the store answers per caller, and None where all see the same. A part
    that is no plain value raises TypeError, so that no object's repr becomes part of a key.
    """

    __slots__ = ("_hash", "_kind")

    def __init__(self, kind: str, principal: str | None, *parts: Part) -> None:
        self._kind = kind
        self._hash = blake2b(_encode([kind, principal, parts]).encode(), digest_size=_DIGEST_BYTES)

    @property
    def text(self) -> str:
        """Return the key of the whole answer."""
        return f"{self._kind}:{self._hash.hexdigest()}"

    def of(self, *own: str) -> str:
        """Return the key of one thing's part in the answer, cheaper than a new key for each thing."""
        digest = self._hash.copy()
        for part in own:
            content = part.encode("utf-8", "surrogatepass")
            # The length goes first, or ("a", "bc") and ("ab", "c") would be one thing.
            digest.update(b"%d:" % len(content))
            digest.update(content)
        return f"{self._kind}:{digest.hexdigest()}"
