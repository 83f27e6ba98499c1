"""Encoding long lists of leaves to JSON in chunks, while they are completed.

A hundred thousand points as dicts take twenty times the memory of their JSON, and encoding them in one call
blocks the event loop. If the operation has a `ListEncoder`, long lists are therefore completed and encoded in
chunks. The objects of a chunk are released before the next, and each chunk is a turn on the event loop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import Any, Protocol

from graphql import GraphQLLeafType

from schema.engine.leaf_columns import complete_leaves
from schema.engine.row_builder import build_objects
from schema.engine.turns import Turns
from schema.ports.table import Lists, Many, Span

CHUNK_ROWS = 4096
"""The rows of a chunk, and the shortest table for which encoding in chunks pays off."""


class ListEncoder(Protocol):
    """An encoder of a result whose lists may be encoded beforehand."""

    def encode(self, items: Sequence[Any]) -> Span:
        """Encode a list of objects or of leaves, and return its place in what was encoded."""
        ...

    def placeholder(self, parts: Sequence[Span]) -> Any:
        """Return a placeholder in the result for one list: the items of the encoded lists at `parts`."""
        ...


@dataclass(frozen=True, slots=True)
class LeafColumn:
    """A selected leaf field: its name in the result, its column of the table and its type."""

    name: str
    column: str
    type: GraphQLLeafType
    required: bool


def is_long(size: int, spans: Sequence[Span]) -> bool:
    """Return whether lists of `size` items in total are encoded in chunks.

    Each item has to belong to one list at most.
    """
    if size < CHUNK_ROWS:
        return False
    ordered = sorted(spans)
    return all(stop <= start for (_, stop), (start, _) in pairwise(ordered))


async def encode_lists(
    encoder: ListEncoder, turns: Turns, leaves: Sequence[LeafColumn], many: Many
) -> list[Any]:
    """Return the placeholder of each parent's list. Raise `NotBatchable` for a value that is not valid."""
    names = tuple(leaf.name for leaf in leaves)

    def objects(first: int, last: int) -> Sequence[Any]:
        columns = [
            complete_leaves(leaf.type, many.rows[leaf.column][first:last], required=leaf.required)
            for leaf in leaves
        ]
        return build_objects(names, columns, last - first)

    return await _encode(encoder, turns, many.spans, objects)


async def encode_leaf_lists(
    encoder: ListEncoder, turns: Turns, type_: GraphQLLeafType, lists: Lists, *, required: bool
) -> list[Any]:
    """Return the placeholder of each parent's list of leaves, as `encode_lists` does.

    `required` is whether the type of the items is non-null.
    """
    return await _encode(
        encoder,
        turns,
        lists.spans,
        lambda first, last: complete_leaves(type_, lists.items[first:last], required=required),
    )


async def _encode(
    encoder: ListEncoder,
    turns: Turns,
    spans: Sequence[Span],
    complete: Callable[[int, int], Sequence[Any]],
) -> list[Any]:
    """Return the placeholder of each list; `complete` returns the items from one index up to another."""
    parts: list[list[Span]] = [[] for _ in spans]
    for chunk in _chunks(spans):
        await turns.take()
        _encode_chunk(encoder, chunk, complete, parts)
    return [encoder.placeholder(encoded) for encoded in parts]


def _chunks(spans: Sequence[Span]) -> list[list[tuple[int, Span]]]:
    """Split spans into chunks of about `CHUNK_ROWS` rows: pieces of spans, each with the parent's index."""
    chunks: list[list[tuple[int, Span]]] = [[]]
    remaining = CHUNK_ROWS
    # In the order of the items: that of the parents may be another.
    for parent, (start, stop) in sorted(enumerate(spans), key=itemgetter(1)):
        for piece_start in range(start, stop, CHUNK_ROWS):
            piece_stop = min(piece_start + CHUNK_ROWS, stop)
            chunks[-1].append((parent, (piece_start, piece_stop)))
            remaining -= piece_stop - piece_start
            if remaining <= 0:
                chunks.append([])
                remaining = CHUNK_ROWS
    return [chunk for chunk in chunks if chunk]


def _encode_chunk(
    encoder: ListEncoder,
    chunk: Sequence[tuple[int, Span]],
    complete: Callable[[int, int], Sequence[Any]],
    parts: list[list[Span]],
) -> None:
    first, last = chunk[0][1][0], chunk[-1][1][1]
    items = complete(first, last)
    for parent, (start, stop) in chunk:
        parts[parent].append(encoder.encode(items[start - first : stop - first]))
