"""Answers encoded in parts."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gql_server.operations.json_encoder import JsonEncoder

_ITEMS = st.lists(
    st.lists(st.fixed_dictionaries({"text": st.text(st.characters(exclude_categories=["Cs"]))}), min_size=1),
    max_size=4,
)


@given(lists=st.lists(_ITEMS, max_size=4), text=st.text(st.characters(exclude_categories=["Cs"])))
def test_parts_are_where_they_belong(lists: list[list[list[dict[str, Any]]]], text: str) -> None:
    """An answer with encoded lists is, byte for byte, the answer with the lists themselves."""
    encoder = JsonEncoder()
    parts = [encoder.placeholder([encoder.encode(items) for items in one]) for one in lists]
    plain = [[item for items in one for item in items] for one in lists]
    assert encoder.whole({"text": text, "lists": parts}) == orjson.dumps({"text": text, "lists": plain})
