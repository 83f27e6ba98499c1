"""Encoding a GraphQL response as JSON, with lists that were encoded while they were completed."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson
from typing_extensions import override

from schema.engine.answer import ListEncoder
from schema.ports.table import Span

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
        self._lists: list[Sequence[Span]] = []

    @override
    def encode(self, items: Sequence[Any]) -> Span:
        start = len(self._buffer)
        # The brackets are those of the whole list.
        self._buffer += memoryview(orjson.dumps(items))[1:-1]
        return start, len(self._buffer)

    @override
    def placeholder(self, parts: Sequence[Span]) -> orjson.Fragment:
        self._lists.append(parts)
        return orjson.Fragment(b"%b%d%b" % (_MARK, len(self._lists) - 1, _MARK))

    def encode_response(self, response: dict[str, Any]) -> bytes:
        """Encode a whole response, with the encoded lists in it."""
        body = b"".join(self._pieces(orjson.dumps(response).split(_MARK)))
        self._lists.clear()
        self._buffer = bytearray()
        return body

    def _pieces(self, segments: list[bytes]) -> Iterator[bytes | memoryview]:
        encoded = memoryview(self._buffer)
        for position, segment in enumerate(segments):
            if position % 2 == 0:
                yield segment
            else:
                yield b"["
                for index, (start, stop) in enumerate(self._lists[int(segment)]):
                    if index:
                        yield b","
                    yield encoded[start:stop]
                yield b"]"
