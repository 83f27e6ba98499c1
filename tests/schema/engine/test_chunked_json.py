"""Lists that are encoded in chunks, whatever the order of their parents."""

from random import Random
from typing import cast

import pytest
from graphql import GraphQLInt
from typing_extensions import override

from schema.engine.answer import Answer
from schema.engine.chunked_json import CHUNK_ROWS, encode_leaf_lists, is_long
from schema.engine.turns import Turns
from schema.ports.table import Lists, Span
from tests.support.schema.execution import ChunkEncoder


@pytest.mark.parametrize("seed", range(5))
async def test_lists_are_those_of_their_parents(seed: int) -> None:
    """The lists may be in another order than the items, have gaps between them, and be empty."""
    random = Random(seed)  # noqa: S311 - test data
    ends = sorted(random.sample(range(3 * CHUNK_ROWS), 40))
    spans = [(start, stop) for start, stop in zip(ends[::2], ends[1::2], strict=True)]
    spans += [(spans[3][0], spans[3][0]), (0, 0)]
    random.shuffle(spans)
    items = list(range(3 * CHUNK_ROWS))
    assert is_long(len(items), spans)
    lists = await encode_leaf_lists(Answer(ChunkEncoder()), GraphQLInt, Lists(items, spans), required=True)
    assert lists == [items[start:stop] for start, stop in spans]


@pytest.mark.parametrize("spans", [[(0, 5000), (4999, 6000)], [(0, 5000), (0, 5000)]])
def test_lists_with_common_items_are_not_encoded_in_chunks(spans: list[Span]) -> None:
    """They are completed once, and shared."""
    assert not is_long(6000, spans)


@pytest.mark.parametrize(("size", "turns"), [(CHUNK_ROWS, 1), (3 * CHUNK_ROWS, 4)])
async def test_what_follows_several_chunks_has_a_turn_of_its_own(size: int, turns: int) -> None:
    """The last chunk and the level above it would else keep the event loop together."""
    answer = Answer(ChunkEncoder(), CountedTurns())
    lists = Lists(list(range(size)), [(0, size)])
    await encode_leaf_lists(answer, GraphQLInt, lists, required=True)
    assert cast("CountedTurns", answer.turns).taken == turns


class CountedTurns(Turns):
    """Turns that are counted."""

    __slots__ = ("taken",)

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0

    @override
    async def take(self) -> None:
        self.taken += 1
        await super().take()
