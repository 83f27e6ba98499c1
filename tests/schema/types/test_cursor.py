"""Encoding and decoding of cursors."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.tracking import Order, Search
from schema.types.cursor import decode_cursor, encode_cursor, fingerprint

MARK = fingerprint("runs", ("0",), Search())
positions = st.lists(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), max_size=4
)


@given(positions)
def test_decoding_returns_the_encoded_position(position: list[Any]) -> None:
    """Decoding a cursor returns the encoded position."""
    assert decode_cursor(MARK, encode_cursor(MARK, position)) == position


@given(positions)
def test_cursor_needs_no_quoting(position: list[Any]) -> None:
    """A cursor is ASCII and needs no quoting in a URL or in JSON."""
    assert set(encode_cursor(MARK, position)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="
    )


def test_cursor_of_another_search_is_refused() -> None:
    """A cursor of another search is refused with a specific message."""
    with pytest.raises(BadUserInput, match="cursor of another query"):
        decode_cursor(fingerprint("runs", ("1",), Search()), encode_cursor(MARK, [1]))


def test_fingerprints_differ() -> None:
    """Each part of a search changes its fingerprint, and nothing else does."""
    by_name = Order("attribute", "name")
    searches: list[tuple[Any, ...]] = [
        ("runs", ("0",), Search()),
        ("runs", ("0", "1"), Search()),
        ("runs", ("0,1",), Search()),
        ("runs", (), Search()),
        ("runs", None, Search()),
        ("experiments", ("0",), Search()),
        ("runs", ("0",), Search(filter="a")),
        ("runs", ("0",), Search(view=LifecycleView.ALL)),
        ("runs", ("0",), Search(order=(by_name,))),
        ("runs", ("0",), Search(order=(by_name, by_name))),
        ("runs", ("0",), Search(order=(Order("param", "name"),))),
        ("runs", ("0",), Search(order=(Order("attribute", "name", descending=True),))),
    ]
    assert len({fingerprint(*search) for search in searches}) == len(searches)
    assert fingerprint("runs", ("0",), Search(filter="a")) == fingerprint("runs", ("0",), Search(filter="a"))


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "====",
        "not base64!",
        encode_cursor(MARK, [1])[:-1],
        f" {encode_cursor(MARK, [1])}",
        encode_cursor(MARK, [1]) + "\n",
        "курсор",
        "\ud800",
        "\0",
        "A" * 1_000_001,
        _encoded(b""),
        _encoded(b"\xff\xfe\xfd"),
        _encoded(b"{}"),
        _encoded(b"[]"),
        _encoded(b"[1, 2]"),
        _encoded(b"null"),
        _encoded(b'"text"'),
        _encoded(json.dumps({"mark": MARK}).encode()),
        _encoded(json.dumps([[MARK], 1]).encode()),
        _encoded(b"[" * 100_000),
        _encoded(b"[" * 100_000 + b"]" * 100_000),
        _encoded(b"[" + b"9" * 100_000 + b"]"),
        _encoded(json.dumps([MARK, 1]).encode())[:10],
    ],
)
def test_malformed_cursor_is_refused_without_echo(cursor: str) -> None:
    """A malformed cursor is refused, and the message does not repeat it."""
    with pytest.raises(BadUserInput, match=r"^after is not a cursor of this server\.$"):
        decode_cursor(MARK, cursor)


@given(st.text() | st.binary().map(_encoded) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_any_text_raises_bad_user_input_only(cursor: str) -> None:
    """No text raises anything but BadUserInput."""
    with pytest.raises(BadUserInput):
        decode_cursor(MARK, cursor)
