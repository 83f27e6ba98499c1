"""Encoding long lists of leaves to JSON in chunks, while they are completed.

A hundred thousand points as dicts take twenty times the memory of their JSON, and encoding them in one call
blocks the event loop. If the operation has a `ListEncoder`, long lists are therefore completed and encoded in
chunks. The objects of a chunk are released before the next, and each chunk is a turn on the event loop.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from operator import itemgetter, le
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
SHORT_LIST = 64
"""Items of a list of objects that is never encoded by itself: a document has a thousand levels at most."""
_MAX_PLACEHOLDERS = CHUNK_ROWS
"""Lists of one field that have placeholders, which take time to replace; of more, short ones have none."""


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
    ordered = spans if _are_ascending(spans) else sorted(spans)
    return all(stop <= start for (_, stop), (start, _) in pairwise(ordered))


def _are_ascending(spans: Sequence[Span]) -> bool:
    # In a tenth of the time of sorting them.
    return all(map(le, spans, islice(spans, 1, None)))


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

    return await _encode(answer, many.spans, objects, rows_of_chunk(len(leaves)))


def rows_of_chunk(fields: int) -> int:
    """Return the number of rows with so many fields that are completed in one turn."""
    return min(CHUNK_ROWS, max(1, _CHUNK_VALUES // max(1, fields)))


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


async def encode_slices(answer: Answer, objects: Sequence[Any], spans: Sequence[Span]) -> list[Any]:
    """Return lists of completed objects, long ones encoded with a placeholder in their place."""
    encoder = cast("ListEncoder", answer.encoder)
    lists: list[Any] = []
    for start, stop in spans:
        if stop - start <= SHORT_LIST:
            lists.append(objects[start:stop])
            continue
        parts = []
        for first in range(start, stop, CHUNK_ROWS):
            await answer.take_turn()
            parts.append(encoder.encode(objects[first : min(first + CHUNK_ROWS, stop)]))
        lists.append(encoder.placeholder(parts, nested=True))
    return lists


async def _encode(
    answer: Answer, spans: Sequence[Span], complete: Callable[[int, int], Sequence[Any]], rows: int
) -> list[Any]:
    """Return the placeholder of each list; `complete` returns the items from one index up to another.

    A chunk has up to `rows` rows.
    """
    encoder = cast("ListEncoder", answer.encoder)
    has_short = len(spans) > _MAX_PLACEHOLDERS
    if has_short:
        await answer.take_turn()
    lists: list[Any] = [[]] * len(spans)
    parts: dict[int, list[Span]] = {}
    chunks = 0
    for chunk in _chunks(spans, rows):
        chunks += 1
        await answer.take_turn()
        first, last = chunk[0][1][0], chunk[-1][1][1]
        items = complete(first, last)
        for parent, span in chunk:
            own = items[span[0] - first : span[1] - first]
            if has_short and span == spans[parent]:
                lists[parent], size = encoder.encode_part(own)
            else:
                part = encoder.encode(own)
                parts.setdefault(parent, []).append(part)
                size = part[1] - part[0]
            answer.add_bytes(size)
    if chunks > 1:
        # What follows completes the level above, and has a turn of its own after the last of several chunks.
        await answer.take_turn()
    for parent, encoded in parts.items():
        lists[parent] = encoder.placeholder(encoded)
    return lists


def _chunks(spans: Sequence[Span], rows: int) -> Iterator[list[tuple[int, Span]]]:
    """Split spans into chunks of about `rows` rows: pieces of spans, each with the parent's index."""
    chunk: list[tuple[int, Span]] = []
    remaining = rows
    numbered: Iterable[tuple[int, Span]] = enumerate(spans)
    if not _are_ascending(spans):
        # In the order of the items: that of the parents may be another.
        numbered = sorted(numbered, key=itemgetter(1))
    for parent, (start, stop) in numbered:
        for piece_start in range(start, stop, rows):
            piece_stop = min(piece_start + rows, stop)
            chunk.append((parent, (piece_start, piece_stop)))
            remaining -= piece_stop - piece_start
            if remaining <= 0:
                yield chunk
                chunk, remaining = [], rows
    if chunk:
        yield chunk
