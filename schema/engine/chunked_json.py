"""Encoding long lists of leaves as they are completed, a part at a time.

A hundred thousand points as dicts take twenty times the memory of their JSON, and the event loop cannot do
anything else while they are encoded in one go. So where whoever runs the operation gives it an `Encoder`,
long lists are encoded in parts, each made, encoded and forgotten before the next, with a turn for the event
loop between them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import GraphQLLeafType

from schema.engine.leaf_columns import complete_leaves
from schema.engine.row_builder import objects
from schema.ports.table import Many, Span, Table

LARGE = 4096
"""The rows from which encoding in parts saves more than it costs, and the size of a part."""


class Encoder(Protocol):
    """What the encoder of the whole answer can take parts from."""

    def encode(self, items: list[dict[str, Any]]) -> bytes:
        """Encode a list of objects."""
        ...

    def encoded(self, parts: Sequence[bytes]) -> Any:
        """Return a value that stands in the answer for one list, made of the items of encoded lists."""
        ...


@dataclass(frozen=True, slots=True)
class EncodedLeaf:
    """A selected column: its name in the answer and in the table, and its type."""

    name: str
    column: str
    type: GraphQLLeafType
    required: bool


def in_sequence(many: Many) -> bool:
    """Say whether the lists stand one behind the other, so that parts of the table are parts of the lists."""
    behind = 0
    for start, stop in many.spans:
        if start != behind:
            return False
        behind = stop
    return True


async def encode_lists(encoder: Encoder, leaves: Sequence[EncodedLeaf], many: Many) -> list[Any]:
    """Return the encoded list of each parent; raise `NotCovered` where a value is not what it should be."""
    parts: list[list[bytes]] = [[] for _ in many.spans]
    for batch in _batches(many.spans):
        _encode(encoder, leaves, many.rows, batch, parts)
        await asyncio.sleep(0)
    return [encoder.encoded(some) for some in parts]


def _batches(spans: Sequence[Span]) -> list[list[tuple[int, Span]]]:
    """Return pieces of the spans with their places, in batches of about `LARGE` rows."""
    batches: list[list[tuple[int, Span]]] = [[]]
    room = LARGE
    for place, (start, stop) in enumerate(spans):
        for begin in range(start, stop, LARGE):
            end = min(begin + LARGE, stop)
            batches[-1].append((place, (begin, end)))
            room -= end - begin
            if room <= 0:
                batches.append([])
                room = LARGE
    return [batch for batch in batches if batch]


def _encode(
    encoder: Encoder,
    leaves: Sequence[EncodedLeaf],
    table: Table,
    batch: Sequence[tuple[int, Span]],
    parts: list[list[bytes]],
) -> None:
    first, last = batch[0][1][0], batch[-1][1][1]
    columns = [
        complete_leaves(leaf.type, table[leaf.column][first:last], required=leaf.required) for leaf in leaves
    ]
    made = objects(tuple(leaf.name for leaf in leaves), columns, last - first)
    for place, (start, stop) in batch:
        parts[place].append(encoder.encode(made[start - first : stop - first]))
