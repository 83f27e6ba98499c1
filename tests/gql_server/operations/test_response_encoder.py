"""Tests of encoding a response with encoded lists."""

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
