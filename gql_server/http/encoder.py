"""Answers as JSON, with parts that the graph encoded already."""

from collections.abc import Sequence
from typing import Any

import orjson


class JsonEncoder:
    """orjson, as the graph's `Encoder` and for whole answers."""

    def encode(self, items: list[dict[str, Any]]) -> bytes:
        """Encode a list of objects."""
        return orjson.dumps(items)

    def encoded(self, parts: Sequence[bytes]) -> orjson.Fragment:
        """Return the encoded lists as one value: a single list of all their items."""
        if len(parts) == 1:
            return orjson.Fragment(parts[0])
        return orjson.Fragment(b"[%b]" % b",".join(part[1:-1] for part in parts))
