"""Tests of encoding a response with encoded lists."""

import asyncio
import tracemalloc
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gql_server.operations.response_encoder import ResponseEncoder
from schema.engine.turns import Turns

_ITEMS = st.lists(
    st.lists(st.fixed_dictionaries({"text": st.text(st.characters(exclude_categories=["Cs"]))}), min_size=1),
    max_size=4,
)


@given(lists=st.lists(_ITEMS, max_size=4), text=st.text(st.characters(exclude_categories=["Cs"])))
def test_encoded_lists_replace_their_placeholders(lists: list[list[list[dict[str, Any]]]], text: str) -> None:
    """A response with encoded lists has the same bytes as the response with the lists themselves."""
    encoder = ResponseEncoder()
    parts = [encoder.placeholder([encoder.encode(items) for items in one]) for one in lists]
    plain = [[item for items in one for item in items] for one in lists]
    assert _encoded(encoder, {"text": text, "lists": parts}) == orjson.dumps({"text": text, "lists": plain})


@given(lists=st.lists(_ITEMS, min_size=1, max_size=4))
def test_encoded_lists_may_contain_others(lists: list[list[list[dict[str, Any]]]]) -> None:
    """Objects that are encoded with placeholders in them have the same bytes as with the lists."""
    encoder = ResponseEncoder()
    rows = [
        encoder.encode_part({"list": encoder.placeholder([encoder.encode(items) for items in one])})[0]
        for one in lists
    ]
    nested = encoder.placeholder([encoder.encode(rows[:1]), encoder.encode(rows)], nested=True)
    plain = [{"list": [item for items in one for item in items]} for one in lists]
    assert _encoded(encoder, {"rows": nested}) == orjson.dumps({"rows": plain[:1] + plain})


def test_encoded_part_takes_the_memory_of_its_bytes() -> None:
    """Many short parts take little more than their bytes; orjson's buffers have a kilobyte each."""
    encoder = ResponseEncoder()
    tracemalloc.start()
    try:
        parts = [encoder.encode_part({"step": step}) for step in range(1000)]
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 200 * len(parts)


async def test_large_response_is_joined_in_turns() -> None:
    """Others use the event loop while a response of many megabytes is joined."""
    encoder, turns = ResponseEncoder(), _CountedTurns()
    part = encoder.encode(["x" * 1000] * 1000)
    response = {"lists": [encoder.placeholder([part]) for _ in range(40)]}
    assert len(await encoder.encode_response(response, turns)) > 40_000_000
    assert turns.taken >= 4


class _CountedTurns(Turns):
    taken = 0

    async def take(self) -> None:
        self.taken += 1
        await super().take()


def _encoded(encoder: ResponseEncoder, response: dict[str, Any]) -> bytes:
    return asyncio.run(encoder.encode_response(response, Turns()))


def test_encoded_lists_take_the_memory_of_their_bytes() -> None:
    """Many short lists take little more than their bytes; orjson's buffers have 16 KB each."""
    encoder = ResponseEncoder()
    items = [{"step": step} for step in range(100)]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        parts = [encoder.encode(items) for _ in range(100)]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1.2 * sum(stop - start for start, stop in parts)
