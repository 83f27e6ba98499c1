"""Cache keys: short texts that are equal only for equal requests."""

from collections.abc import Sequence
from hashlib import blake2b
from json import JSONEncoder
from typing import TypeAlias

from schema.ports.tracking import Page

Part: TypeAlias = "bool | int | float | str | Sequence[Part] | None"

DIGEST_BYTES = 16
"""128 bits: a caller cannot find the key of another caller's entry by trying."""

# The standard encoder escapes lone surrogates, which orjson rejects, and rejects all but plain values.
_encode = JSONEncoder(separators=(",", ":")).encode


class CacheKey:
    """A key made from the kind of entry, the caller and the other inputs of the value.

    `principal` is None where all callers see the same data. A part that is not a plain value raises
    TypeError, so that no object's repr becomes part of a key.
    """

    __slots__ = ("_hash", "_kind")

    def __init__(self, kind: str, principal: str | None, *parts: Part) -> None:
        self._kind = kind
        self._hash = blake2b(_encode([kind, principal, parts]).encode(), digest_size=DIGEST_BYTES)

    @property
    def text(self) -> str:
        """Return the key as text."""
        return f"{self._kind}:{self._hash.hexdigest()}"

    def for_record(self, *parts: str) -> str:
        """Return the key of one record of the request; this is cheaper than a `CacheKey` per record."""
        digest = self._hash.copy()
        for part in parts:
            content = part.encode("utf-8", "surrogatepass")
            # The length comes first, or ("a", "bc") and ("ab", "c") would have the same key.
            digest.update(b"%d:" % len(content))
            digest.update(content)
        return f"{self._kind}:{digest.hexdigest()}"


def page_parts(page: Page) -> tuple[Part, ...]:
    """Return the parts of a key that identify a page of a search."""
    return (page.first, page.after, sorted(page.columns))
