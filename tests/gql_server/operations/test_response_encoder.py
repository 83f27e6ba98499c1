"""Tests of encoding a response with encoded lists."""

import tracemalloc
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gql_server.operations.response_encoder import ResponseEncoder

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
    assert encoder.encode_response({"text": text, "lists": parts}) == orjson.dumps(
        {"text": text, "lists": plain}
    )


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
