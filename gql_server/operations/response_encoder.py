"""Encoding a GraphQL response as JSON, with lists that were encoded while they were completed."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson
from typing_extensions import override

from schema.engine.chunked_json import ListEncoder

_MARK: Final = b"\0"
"""Encloses the index of a list in the encoded response. JSON escapes it in every string."""


class ResponseEncoder(ListEncoder):
    """Encodes one response; use each instance once.

    orjson encodes the response without the encoded lists, which are inserted when all is joined. orjson's
    buffer doubles when it grows, and with the lists it would take twice the size of the response.
    """

    def __init__(self) -> None:
        self._lists: list[Sequence[bytes]] = []

    @override
    def encode(self, items: Sequence[Any]) -> bytes:
        # A copy: the buffer of a short list stays at 16 KB. The brackets are those of the whole list.
        return orjson.dumps(items)[1:-1]

    @override
    def placeholder(self, parts: Sequence[bytes]) -> orjson.Fragment:
        self._lists.append(parts)
        return orjson.Fragment(b"%b%d%b" % (_MARK, len(self._lists) - 1, _MARK))

    def encode_response(self, response: dict[str, Any]) -> bytes:
        """Encode a whole response, with the encoded lists in it."""
        body = b"".join(self._pieces(orjson.dumps(response).split(_MARK)))
        self._lists.clear()
        return body

    def _pieces(self, segments: list[bytes]) -> Iterator[bytes]:
        for position, segment in enumerate(segments):
            if position % 2 == 0:
                yield segment
            else:
                yield from _joined(self._lists[int(segment)])


def _joined(parts: Sequence[bytes]) -> Iterator[bytes]:
    yield b"["
    for index, part in enumerate(parts):
        if index:
            yield b","
        yield part
    yield b"]"
