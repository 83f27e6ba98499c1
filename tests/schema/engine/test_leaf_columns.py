"""A column of leaves is completed to what its type makes of each value, or is left to graphql-core."""

from collections.abc import Sequence
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLScalarType, specified_scalar_types
from hypothesis import given
from hypothesis import strategies as st

from schema.engine.leaf_columns import NotBatchable, complete_leaves
from schema.ports.errors import NotFound
from tests.support.document_strategies import SCHEMA
from tests.support.record_strategies import SPOILERS, Odd

LEAVES: list[Any] = [
    *specified_scalar_types.values(),
    *(type_ for type_ in SCHEMA.type_map.values() if isinstance(type_, GraphQLEnumType)),
    SCHEMA.type_map["BigInt"],
    SCHEMA.type_map["DateTime"],
]
USUAL: dict[str, st.SearchStrategy[Any]] = {
    "String": st.text(max_size=3),
    "ID": st.text(max_size=3),
    "Boolean": st.booleans(),
    "Float": st.floats(),
    "Int": st.integers(-(2**31) - 1, 2**31),
    "BigInt": st.integers(-(2**63) - 1, 2**63),
    "DateTime": st.integers(-(2**63), 2**63 - 1),
}


@st.composite
def columns(draw: st.DrawFn) -> tuple[Any, list[Any]]:
    """Generate a leaf type with a column of it: as it should be, with gaps, or spoiled."""
    type_ = draw(st.sampled_from(LEAVES))
    names = list(getattr(type_, "values", ()))
    usual = USUAL.get(type_.name, st.sampled_from(names or [""]))
    other = draw(st.sampled_from([st.nothing(), st.none(), st.none() | st.sampled_from(SPOILERS)]))
    return type_, draw(st.lists(usual | other, max_size=5))


@given(columns(), st.booleans())
def test_as_value_by_value(column: tuple[Any, list[Any]], required: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever is completed is what the type's own serialize makes of it, types of Python included."""
    type_, values = column
    expected = _value_by_value(type_, values, required=required)
    if expected is None:
        with pytest.raises(NotBatchable):
            complete_leaves(type_, values, required=required)
    else:
        done = complete_leaves(type_, values, required=required)
        assert list(map(repr, done)) == list(map(repr, expected))


def _value_by_value(type_: Any, values: Sequence[Any], *, required: bool) -> list[Any] | None:
    if any(isinstance(value, Exception) or (required and value is None) for value in values):
        return None
    try:
        return [None if value is None else type_.serialize(value) for value in values]
    except Exception:  # noqa: BLE001 - whatever a serialize raises is an error of the field
        return None


def test_columns_are_not_copied_in_vain() -> None:
    """Values that are already what the type writes are returned as the column that they are."""
    column = ["a", None, "b"]
    assert complete_leaves(_scalar("String"), column, required=False) is column


@pytest.mark.parametrize("name", ["String", "ID"])
def test_error_is_no_text(name: str) -> None:
    """An error in a column is never written as text, though String and ID would write it."""
    assert _scalar(name).serialize(NotFound("secret")) == "secret"
    with pytest.raises(NotBatchable):
        complete_leaves(_scalar(name), ["a", NotFound("secret")], required=False)


def test_sum_that_overflows() -> None:
    """Finite floats whose sum is not are written all the same."""
    column = [1.7e308, 1.7e308]
    assert complete_leaves(_scalar("Float"), column, required=True) == column


def test_infinities_that_cancel() -> None:
    """Infinities that add up to no infinity are found out."""
    with pytest.raises(NotBatchable):
        complete_leaves(_scalar("Float"), [float("inf"), 1.0, float("-inf")], required=False)


def test_nothing_but_gaps() -> None:
    """A column of nulls needs no serialize, and none is let through where none may be."""
    assert complete_leaves(_scalar("DateTime"), [None, None], required=False) == [None, None]
    assert complete_leaves(_scalar("DateTime"), [], required=True) == []
    with pytest.raises(NotBatchable):
        complete_leaves(_scalar("DateTime"), [None], required=True)


def test_serialize_that_returns_nothing() -> None:
    """A scalar that writes a value as null is left to graphql-core, which says so."""
    silent = GraphQLScalarType("Silent", serialize=lambda _: None)
    with pytest.raises(NotBatchable):
        complete_leaves(silent, [Odd()], required=False)


def _scalar(name: str) -> GraphQLScalarType:
    scalar = SCHEMA.type_map[name]
    assert isinstance(scalar, GraphQLScalarType)
    return scalar
