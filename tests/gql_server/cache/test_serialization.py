"""Serialization of results."""

from array import array

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gql_server.cache.serialization import deserialize, dump_pages, load_list, load_pages, serialize
from schema.ports.table import Many, One, Table
from schema.ports.tracking import Pages

leaves = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
position_values = st.none() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(st.dictionaries(st.sampled_from(["key", "value"]), st.lists(leaves)))
def test_leaves_round_trip(rows: dict[str, list[object]]) -> None:
    """Nulls, 64-bit integers, floats and any valid text are restored exactly, with their type."""
    body = serialize(rows)
    assert body is not None
    assert repr(deserialize(load_list, body)) == repr(rows)


@given(st.lists(st.lists(position_values, max_size=3), max_size=5))
def test_positions_round_trip(positions: list[list[object]]) -> None:
    """Each row has the same position after the round trip, for any JSON values."""
    table = Table(len(positions), {"run_id": [str(row) for row in range(len(positions))]})
    body = dump_pages(Pages(table, [(0, len(positions))], [False], positions.__getitem__))
    assert body is not None
    pages = deserialize(load_pages, body)
    assert pages is not None
    assert repr([pages.position(row) for row in range(pages.rows.size)]) == repr(positions)


def test_columns_are_any_sequences() -> None:
    """Tuples, ranges and arrays are serialized as lists of their values."""
    body = serialize({"a": (1, 2), "b": range(2), "c": array("d", [0.5, 1.5])})
    assert body is not None
    assert deserialize(load_list, body) == {"a": [1, 2], "b": [0, 1], "c": [0.5, 1.5]}


def test_unserializable_values_are_not_cached() -> None:
    """Text with lone surrogates, integers over 64 bits and values that are not plain return None."""
    for value in ("\ud800", 2**64, object(), {1, 2}, b"bytes", One(Table(0, {}), [])):
        assert serialize([value]) is None


def test_page_without_positions_is_not_cached() -> None:
    """A page whose position raises is not cached, and no error is raised."""

    def position(_row: int) -> list[object]:
        raise LookupError

    assert dump_pages(Pages(Table(1, {"a": [1]}), [(0, 1)], [True], position)) is None


def test_lists_within_rows_round_trip() -> None:
    """The lists in a page's rows have the same rows and spans after the round trip, empty ones included."""
    params = Many(Table(2, {"key": ["a", "b"], "value": ["1", "2"]}), [(0, 2), (2, 2)])
    pages = Pages(
        Table(2, {"run_id": ["x", "y"], "params": params}), [(0, 1), (1, 2)], [True, False], lambda row: [row]
    )
    body = dump_pages(pages)
    assert body is not None
    loaded = deserialize(load_pages, body)
    assert loaded is not None
    assert (loaded.spans, loaded.has_next) == (pages.spans, pages.has_next)
    loaded_params = loaded.rows["params"]
    assert (loaded_params.spans, loaded_params.rows.columns) == (params.spans, params.rows.columns)


def test_invalid_bytes_are_a_miss() -> None:
    """Bytes that are not JSON, or JSON of another structure, return None."""
    for body in (b"", b"{", b"null", b"[1]", b"[1,2,3,4]", orjson.dumps([[1], 2, 3, 4])):
        assert deserialize(load_pages, body) is None
