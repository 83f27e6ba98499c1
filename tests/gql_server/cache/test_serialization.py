"""Tests of packing."""

from array import array

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gql_server.cache.serialization import load_pages, load_piece, pack_pages, pack_piece, packed, unpacked
from schema.ports.table import Many, One, Table
from schema.ports.tracking import Pages

leaves = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
places = st.none() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(st.dictionaries(st.sampled_from(["key", "value"]), st.lists(leaves)))
def test_leaves_come_back_as_they_were(piece: dict[str, list[object]]) -> None:
    """Nulls, 64-bit integers, floats to the last bit and any valid text keep their value and type."""
    body = pack_piece(piece)
    assert body is not None
    assert repr(unpacked(load_piece, body)) == repr(piece)


@given(st.lists(st.lists(places, max_size=3), max_size=5))
def test_positions_come_back_as_they_were(positions: list[list[object]]) -> None:
    """Every row has the place that it had, whatever JSON values name it."""
    table = Table(len(positions), {"run_id": [str(row) for row in range(len(positions))]})
    body = pack_pages(Pages(table, [(0, len(positions))], [False], positions.__getitem__))
    assert body is not None
    pages = unpacked(load_pages, body)
    assert pages is not None
    assert repr([pages.position(row) for row in range(pages.rows.size)]) == repr(positions)


def test_columns_may_be_any_sequences() -> None:
    """Tuples, ranges and arrays are kept as lists of what is in them."""
    body = pack_piece({"a": (1, 2), "b": range(2), "c": array("d", [0.5, 1.5])})
    assert body is not None
    assert unpacked(load_piece, body) == {"a": [1, 2], "b": [0, 1], "c": [0.5, 1.5]}


def test_what_cannot_be_kept_is_not() -> None:
    """Text with lone surrogates, longer integers, and what is no plain value are left to the store."""
    for value in ("\ud800", 2**64, object(), {1, 2}, b"bytes", One(Table(0, {}), [])):
        assert packed([value]) is None


def test_a_page_whose_places_have_no_name_is_not_kept() -> None:
    """A position that fails keeps the page out of the cache, and costs no answer."""

    def position(_row: int) -> list[object]:
        raise LookupError

    assert pack_pages(Pages(Table(1, {"a": [1]}), [(0, 1)], [True], position)) is None


def test_what_came_along_with_rows_comes_back() -> None:
    """A page's lists keep their rows and spans, empty ones too."""
    params = Many(Table(2, {"key": ["a", "b"], "value": ["1", "2"]}), [(0, 2), (2, 2)])
    pages = Pages(
        Table(2, {"run_id": ["x", "y"], "params": params}), [(0, 1), (1, 2)], [True, False], lambda row: [row]
    )
    body = pack_pages(pages)
    assert body is not None
    again = unpacked(load_pages, body)
    assert again is not None
    assert (again.spans, again.has_next) == (pages.spans, pages.has_next)
    found = again.rows["params"]
    assert (found.spans, found.rows.columns) == (params.spans, params.rows.columns)


def test_other_bytes_are_nothing() -> None:
    """What is not JSON, or JSON of another shape, is a miss and no error."""
    for body in (b"", b"{", b"null", b"[1]", b"[1,2,3,4]", orjson.dumps([[1], 2, 3, 4])):
        assert unpacked(load_pages, body) is None
