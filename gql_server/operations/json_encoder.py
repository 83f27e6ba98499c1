"""Answers as JSON, with parts that the graph encoded already."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

_MARK = b"\0"
"""Stands in an answer on both sides of a part's number: JSON has it escaped wherever a text holds it."""


class JsonEncoder:
    """orjson, as the graph's `ListEncoder` and for whole answers; one for each answer.

    The parts are left out of what orjson writes and put in when all is joined: its buffer doubles as it
    grows, and would take twice the whole answer beside them.
    """

    def __init__(self) -> None:
        self._lists: list[Sequence[bytes]] = []

    def encode(self, items: list[dict[str, Any]]) -> bytes:
        """Encode a list of objects."""
        return orjson.dumps(items)

    def placeholder(self, parts: Sequence[bytes]) -> orjson.Fragment:
        """Return a value that stands for one list, made of the items of encoded lists."""
        self._lists.append(parts)
        return orjson.Fragment(b"%b%d%b" % (_MARK, len(self._lists) - 1, _MARK))

    def whole(self, answer: dict[str, Any]) -> bytes:
        """Encode an answer, with the parts where they belong."""
        text = b"".join(self._pieces(orjson.dumps(answer).split(_MARK)))
        self._lists.clear()
        return text

    def _pieces(self, texts: list[bytes]) -> Iterator[bytes | memoryview]:
        for place, text in enumerate(texts):
            if place % 2 == 0:
                yield text
            else:
                yield from _joined(self._lists[int(text)])


def _joined(parts: Sequence[bytes]) -> Iterator[bytes | memoryview]:
    yield b"["
    for place, part in enumerate(parts):
        if place:
            yield b","
        yield memoryview(part)[1:-1]
    yield b"]"
