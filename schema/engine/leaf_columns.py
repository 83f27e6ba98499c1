"""Serialization of a column of leaves, which graphql-core does value by value.

Each scalar serializes a valid value of its own Python type to the same value, except `DateTime`, for which
one function serializes a whole column. A column of such values therefore needs no call for each value. An
`array` has numbers only, so that not even their types are looked at. Any other column is serialized value by
value. A value that a type's `serialize` rejects raises `NotBatchable`.
"""

import math
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from graphql import GraphQLEnumType, GraphQLLeafType

from schema.engine.times import format_times
from schema.ports.big_int import BIG_INT_RANGE

_NONE = type(None)
_INT_RANGE = range(-(2**31), 2**31)


class NotBatchable(Exception):
    """The level-wise execution cannot complete this; graphql-core has to, and reports the errors."""


def complete_leaves(type_: GraphQLLeafType, values: Sequence[Any], *, required: bool) -> Sequence[Any]:
    """Return the serialized values of a column, or raise `NotBatchable`.

    If `required`, the type is non-null here, and None in the column raises `NotBatchable`. The values of an
    `array` are returned as a list.
    """
    if isinstance(values, array):
        if _are_serialized(type_, values):
            return format_times(values) if type_.name == "DateTime" else values.tolist()
        values = values.tolist()
    kinds = set(map(type, values))
    has_nulls = _NONE in kinds
    if has_nulls and required:
        raise NotBatchable
    kinds.discard(_NONE)
    if not kinds:
        return values
    if isinstance(type_, GraphQLEnumType):
        return _serialize_distinct(type_, values)
    python_type, is_valid = _IDENTICAL.get(type_.name, (None, _is_any))
    if kinds == {python_type}:
        non_null = [value for value in values if value is not None] if has_nulls else values
        if is_valid(non_null):
            return format_times(values) if type_.name == "DateTime" else values
    return [None if value is None else _serialize(type_, value) for value in values]


def leaf_completer(type_: GraphQLLeafType, *, required: bool) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Return a function that completes columns as `complete_leaves` does.

    A column without nulls whose values need no serialization takes the least time, whatever its length.
    """
    if isinstance(type_, GraphQLEnumType):
        return _enum_completer(type_, required=required)
    python_type, is_valid = _IDENTICAL.get(type_.name, (None, _is_any))
    usual = {python_type}
    is_time = type_.name == "DateTime"

    def complete(values: Sequence[Any]) -> Sequence[Any]:
        if not isinstance(values, array) and set(map(type, values)) == usual and is_valid(values):
            return format_times(values) if is_time else values
        return complete_leaves(type_, values, required=required)

    return complete


def _enum_completer(type_: GraphQLEnumType, *, required: bool) -> Callable[[Sequence[Any]], Sequence[Any]]:
    # The names of values that were valid: as many as the enum has, and their values' synonyms.
    names: dict[Any, Any] = {} if required else {None: None}

    def complete(values: Sequence[Any]) -> Sequence[Any]:
        try:
            return [names[value] for value in values]
        except (KeyError, TypeError):
            completed = complete_leaves(type_, values, required=required)
        names.update((value, name) for value, name in zip(values, completed, strict=True) if name is not None)
        return completed

    return complete


def _are_serialized(type_: GraphQLLeafType, numbers: "array[Any]") -> bool:
    """Return whether these are valid values of the type, which are checked without an object for each."""
    if numbers.typecode == "q":
        return type_.name in {"BigInt", "DateTime"}
    return numbers.typecode == "d" and type_.name == "Float" and bool(np.isfinite(numbers).all())


def _serialize_distinct(type_: GraphQLLeafType, values: Sequence[Any]) -> Sequence[Any]:
    try:
        serialized = {value: _serialize(type_, value) for value in set(values) if value is not None}
    except TypeError as error:  # an unhashable value
        raise NotBatchable from error
    serialized[None] = None
    return [serialized[value] for value in values]


def _serialize(type_: GraphQLLeafType, value: Any) -> Any:
    if isinstance(value, Exception):
        # The error of one row. String and ID would serialize it to its text.
        raise NotBatchable from value
    try:
        serialized = type_.serialize(value)
    except Exception as error:
        raise NotBatchable from error
    if serialized is None:
        raise NotBatchable
    return serialized


def _is_any(_values: Sequence[Any]) -> bool:
    return True


def _are_finite(values: Sequence[Any]) -> bool:
    # A finite sum has finite terms. If the sum of finite values overflows, they are serialized one by one.
    return math.isfinite(sum(values))


def _are_within(limits: range) -> Callable[[Sequence[Any]], bool]:
    return lambda values: min(values) in limits and max(values) in limits


_IDENTICAL: dict[str, tuple[type, Callable[[Sequence[Any]], bool]]] = {
    "String": (str, _is_any),
    "ID": (str, _is_any),
    "Boolean": (bool, _is_any),
    "Float": (float, _are_finite),
    "Int": (int, _are_within(_INT_RANGE)),
    "BigInt": (int, _are_within(BIG_INT_RANGE)),
    "DateTime": (int, _are_within(BIG_INT_RANGE)),
}
"""The values that need no serialization, or for `DateTime` one call for a column: their type and a check."""
