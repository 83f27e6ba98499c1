"""Encoding a GraphQL response as JSON, with lists that were encoded while they were completed."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any, Final

import orjson
from typing_extensions import override

from schema.engine.answer import ListEncoder
from schema.engine.turns import Turns
from schema.ports.table import Span

_BYTES_OF_TURN: Final = 8_000_000
"""Bytes of a response that are copied within some milliseconds."""
_BYTES_OF_PIECE: Final = 500
"""Bytes that are copied in the time that a list takes to find."""
_MARK: Final = b"\0"
"""Encloses the index of a list in the encoded response. JSON escapes it in every string."""


class ResponseEncoder(ListEncoder):
    """Encodes one response; use each instance once.

    orjson encodes the response without the encoded lists, which are inserted when all is joined. orjson's
    buffer doubles when it grows, and with the lists it would take twice the size of the response. The lists
    are in one buffer, which the system takes back as a whole: what thousands of small ones leave behind stays
    with the process.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._lists: list[tuple[Sequence[Span], bool]] = []
        """The parts of each list, and whether there may be marks in them."""

    @override
    def encode(self, items: Sequence[Any]) -> Span:
        start = len(self._buffer)
        # The brackets are those of the whole list.
        self._buffer += memoryview(orjson.dumps(items))[1:-1]
        return start, len(self._buffer)

    @override
    def encode_part(self, item: Any) -> tuple[orjson.Fragment, int]:
        # A copy: orjson shrinks a buffer of a kilobyte, and what is left between such parts is of no use.
        encoded = bytes(memoryview(orjson.dumps(item)))
        return orjson.Fragment(encoded), len(encoded)

    @override
    def placeholder(self, parts: Sequence[Span], *, nested: bool = False) -> orjson.Fragment:
        self._lists.append((parts, nested))
        return orjson.Fragment(b"%b%d%b" % (_MARK, len(self._lists) - 1, _MARK))

    async def encode_response(self, response: dict[str, Any], turns: Turns) -> bytes:
        """Encode a whole response, with the encoded lists in it, in turns on the event loop."""
        encoded = orjson.dumps(response)
        if not self._lists:
            return encoded
        # It gives its buffer away as bytes, without a copy.
        body, remaining = BytesIO(), _BYTES_OF_TURN
        for piece in self._pieces(encoded):
            body.write(piece)
            remaining -= _BYTES_OF_PIECE + len(piece)
            if remaining <= 0:
                await turns.take()
                remaining = _BYTES_OF_TURN
        self._lists.clear()
        self._buffer = bytearray()
        return body.getvalue()

    def _pieces(self, encoded: bytes | memoryview) -> Iterator[bytes | memoryview]:
        for position, segment in enumerate(bytes(encoded).split(_MARK)):
            if position % 2 == 0:
                yield segment
            else:
                yield b"["
                yield from self._items(*self._lists[int(segment)])
                yield b"]"

    def _items(self, parts: Sequence[Span], nested: bool) -> Iterator[bytes | memoryview]:  # noqa: FBT001
        encoded = memoryview(self._buffer)
        for index, (start, stop) in enumerate(parts):
            if index:
                yield b","
            if nested and self._buffer.find(_MARK, start, stop) >= 0:
                yield from self._pieces(encoded[start:stop])
            else:
                yield encoded[start:stop]
