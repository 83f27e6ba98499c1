"""Encoding long lists of leaves to JSON in chunks, while they are completed.

A hundred thousand points as dicts take twenty times the memory of their JSON, and encoding them in one call
blocks the event loop. If the operation has a `ListEncoder`, long lists are therefore completed and encoded in
chunks. The objects of a chunk are released before the next, and each chunk is a turn on the event loop.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import Any, cast

from graphql import GraphQLLeafType

from schema.engine.answer import Answer, ListEncoder
from schema.engine.leaf_columns import complete_leaves
from schema.engine.row_builder import build_objects
from schema.ports.table import Lists, Many, Span

CHUNK_ROWS = 4096
"""The rows of a chunk, and the shortest table for which encoding in chunks pays off."""
_CHUNK_VALUES = 4 * CHUNK_ROWS
"""Values of a chunk: with more fields it has fewer rows."""


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


async def encode_lists(answer: Answer, leaves: Sequence[LeafColumn], many: Many) -> list[Any]:
    """Return the placeholder of each parent's list. Raise `NotBatchable` for a value that is not valid."""
    names = tuple(leaf.name for leaf in leaves)

    def objects(first: int, last: int) -> Sequence[Any]:
        columns = [
            complete_leaves(leaf.type, many.rows[leaf.column][first:last], required=leaf.required)
            for leaf in leaves
        ]
        answer.expect_repeated(columns)
        return build_objects(names, columns, last - first)

    rows = min(CHUNK_ROWS, max(1, _CHUNK_VALUES // max(1, len(leaves))))
    return await _encode(answer, many.spans, objects, rows)


async def encode_leaf_lists(
    answer: Answer, type_: GraphQLLeafType, lists: Lists, *, required: bool
) -> list[Any]:
    """Return the placeholder of each parent's list of leaves, as `encode_lists` does.

    `required` is whether the type of the items is non-null.
    """
    return await _encode(
        answer,
        lists.spans,
        lambda first, last: complete_leaves(type_, lists.items[first:last], required=required),
        CHUNK_ROWS,
    )


async def _encode(
    answer: Answer, spans: Sequence[Span], complete: Callable[[int, int], Sequence[Any]], rows: int
) -> list[Any]:
    """Return the placeholder of each list; `complete` returns the items from one index up to another.

    A chunk has up to `rows` rows.
    """
    encoder = cast("ListEncoder", answer.encoder)
    parts: list[list[Span]] = [[] for _ in spans]
    chunks = 0
    for chunk in _chunks(spans, rows):
        chunks += 1
        await answer.take_turn()
        first, last = chunk[0][1][0], chunk[-1][1][1]
        items = complete(first, last)
        for parent, (start, stop) in chunk:
            part = encoder.encode(items[start - first : stop - first])
            parts[parent].append(part)
            answer.add_bytes(part[1] - part[0])
    if chunks > 1:
        # What follows completes the level above, and has a turn of its own after the last of several chunks.
        await answer.take_turn()
    return [encoder.placeholder(encoded) for encoded in parts]


def _chunks(spans: Sequence[Span], rows: int) -> Iterator[list[tuple[int, Span]]]:
    """Split spans into chunks of about `rows` rows: pieces of spans, each with the parent's index."""
    chunk: list[tuple[int, Span]] = []
    remaining = rows
    # In the order of the items: that of the parents may be another.
    for parent, (start, stop) in sorted(enumerate(spans), key=itemgetter(1)):
        for piece_start in range(start, stop, rows):
            piece_stop = min(piece_start + rows, stop)
            chunk.append((parent, (piece_start, piece_stop)))
            remaining -= piece_stop - piece_start
            if remaining <= 0:
                yield chunk
                chunk, remaining = [], rows
    if chunk:
        yield chunk
