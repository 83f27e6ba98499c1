"""Completion of columns of leaves, compared with each type's own serialization."""

import math
from array import array
from collections.abc import Sequence
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLScalarType, specified_scalar_types
from hypothesis import given
from hypothesis import strategies as st

from schema.engine.leaf_columns import NotBatchable, complete_leaves
from schema.ports.errors import NotFound
from tests.support.schema.document_strategies import SCHEMA
from tests.support.schema.record_strategies import INVALID_VALUES, UnknownType

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
    """Generate a leaf type with a column: valid, with nulls, or with invalid values."""
    type_ = draw(st.sampled_from(LEAVES))
    names = list(getattr(type_, "values", ()))
    usual = USUAL.get(type_.name, st.sampled_from(names or [""]))
    other = draw(st.sampled_from([st.nothing(), st.none(), st.none() | st.sampled_from(INVALID_VALUES)]))
    return type_, draw(st.lists(usual | other, max_size=5))


@given(columns(), st.booleans())
def test_column_is_serialized_as_each_value_is(column: tuple[Any, list[Any]], required: bool) -> None:  # noqa: FBT001 - drawn
    """A completed column equals its values serialized one by one, including their Python types."""
    type_, values = column
    expected = _value_by_value(type_, values, required=required)
    if expected is None:
        with pytest.raises(NotBatchable):
            complete_leaves(type_, values, required=required)
    else:
        done = complete_leaves(type_, values, required=required)
        assert list(map(repr, done)) == list(map(repr, expected))


@given(
    st.sampled_from(LEAVES),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40).map(lambda values: array("q", values))
    | st.lists(st.floats(), max_size=40).map(lambda values: array("d", values)),
)
def test_array_is_serialized_as_the_list_of_its_numbers(type_: Any, numbers: "array[Any]") -> None:
    """A completed array is the list that the same numbers in a list are completed to."""
    try:
        expected = complete_leaves(type_, numbers.tolist(), required=True)
    except NotBatchable:
        with pytest.raises(NotBatchable):
            complete_leaves(type_, numbers, required=True)
    else:
        completed = complete_leaves(type_, numbers, required=True)
        assert isinstance(completed, list)
        assert list(map(repr, completed)) == list(map(repr, expected))


def test_numbers_of_an_array_are_checked_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Valid numbers of an array are not serialized one by one."""
    for name, numbers in (("BigInt", array("q", [2**63 - 1])), ("Float", array("d", [0.5]))):
        monkeypatch.setattr(_scalar(name), "serialize", None)
        assert complete_leaves(_scalar(name), numbers, required=True) == numbers.tolist()
    with pytest.raises(NotBatchable):
        complete_leaves(_scalar("Float"), array("d", [math.nan]), required=True)


def _value_by_value(type_: Any, values: Sequence[Any], *, required: bool) -> list[Any] | None:
    if any(isinstance(value, Exception) or (required and value is None) for value in values):
        return None
    try:
        return [None if value is None else type_.serialize(value) for value in values]
    except Exception:  # noqa: BLE001 - any exception of a serialize is an error of the field
        return None


def test_column_without_conversion_is_not_copied() -> None:
    """Values that need no serialization are returned as the same column."""
    column = ["a", None, "b"]
    assert complete_leaves(_scalar("String"), column, required=False) is column


@pytest.mark.parametrize("name", ["String", "ID"])
def test_error_in_column_is_not_serialized(name: str) -> None:
    """An exception in a column is never serialized to text, although String and ID could do so."""
    assert _scalar(name).serialize(NotFound("secret")) == "secret"
    with pytest.raises(NotBatchable):
        complete_leaves(_scalar(name), ["a", NotFound("secret")], required=False)


def test_finite_floats_with_infinite_sum_are_serialized() -> None:
    """Finite floats are serialized even if their sum is infinite."""
    column = [1.7e308, 1.7e308]
    assert complete_leaves(_scalar("Float"), column, required=True) == column


def test_infinities_with_nan_sum_are_rejected() -> None:
    """Infinities of both signs are rejected, although their sum is NaN."""
    with pytest.raises(NotBatchable):
        complete_leaves(_scalar("Float"), [float("inf"), 1.0, float("-inf")], required=False)


def test_column_of_nulls() -> None:
    """A column of nulls is returned unserialized, and rejected if the type is non-null."""
    assert complete_leaves(_scalar("DateTime"), [None, None], required=False) == [None, None]
    assert complete_leaves(_scalar("DateTime"), [], required=True) == []
    with pytest.raises(NotBatchable):
        complete_leaves(_scalar("DateTime"), [None], required=True)


def test_scalar_that_serializes_to_null_is_rejected() -> None:
    """A scalar that serializes a value to null falls back to graphql-core, which reports the error."""
    silent = GraphQLScalarType("Silent", serialize=lambda _: None)
    with pytest.raises(NotBatchable):
        complete_leaves(silent, [UnknownType()], required=False)


def _scalar(name: str) -> GraphQLScalarType:
    scalar = SCHEMA.type_map[name]
    assert isinstance(scalar, GraphQLScalarType)
    return scalar
