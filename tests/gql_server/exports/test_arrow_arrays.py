"""Columns as Arrow arrays, compared with those that pyarrow makes of the same values."""

from array import array
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_server.exports.arrow_arrays import ARROW_TYPES, arrow_array
from gql_server.exports.table_layouts import ColumnType

_INTEGERS = st.integers(-(2**63), 2**63 - 1)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
_COLUMNS = st.one_of(
    st.tuples(st.lists(st.none() | _TEXTS), st.just("text")),
    st.tuples(st.lists(st.none() | _INTEGERS), st.sampled_from(["integer", "time"])),
    st.tuples(st.lists(st.none() | st.floats()), st.just("float")),
    st.tuples(st.lists(_INTEGERS).map(lambda values: array("q", values)), st.just("integer")),
    st.tuples(st.lists(st.floats()).map(lambda values: array("d", values)), st.just("float")),
)


@given(_COLUMNS)
def test_array_has_the_values(column: tuple[Any, ColumnType]) -> None:
    """An array is valid, and the same as the one of pyarrow, nulls, NaN and texts of any script included."""
    values, type_ = column
    made = arrow_array(values, type_)
    made.validate(full=True)
    expected = pa.array(list(values), type=ARROW_TYPES[type_], from_pandas=False)
    assert made.type == expected.type
    assert made.null_count == expected.null_count
    assert str(made.to_pylist() if type_ != "time" else made.cast(pa.int64()).to_pylist()) == str(
        list(values)
    )


def test_lone_surrogate_is_replaced() -> None:
    """A lone surrogate, which UTF-8 does not have, becomes a question mark, and its neighbours stay."""
    assert arrow_array(["ä", "x\ud800y", None], "text").to_pylist() == ["ä", "x?y", None]


def test_number_out_of_range_is_an_error() -> None:
    """A number that 64 bits do not hold is an error and no other number."""
    with pytest.raises(OverflowError):
        arrow_array([2**63], "integer")
