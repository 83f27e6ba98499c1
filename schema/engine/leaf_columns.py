"""Completing a column of leaves: what graphql-core does value by value, at once where the values allow.

Each scalar serializes the plain values of its own Python type to themselves (or, for `DateTime`, by one
function over the column), so a column whose types are known needs no call a value. Anything else goes
value by value through the type's own `serialize`, and what that refuses is `NotBatchable`.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLEnumType, GraphQLLeafType

from schema.engine.times import format_times
from schema.ports.big_int import BIG_INT_RANGE

_NONE = type(None)
_INT_RANGE = range(-(2**31), 2**31)


class NotBatchable(Exception):
    """The level-wise execution does not handle this; graphql-core does, errors included."""


def complete_leaves(type_: GraphQLLeafType, values: Sequence[Any], *, required: bool) -> Sequence[Any]:
    """Return the serialized values of a column, or raise `NotBatchable`.

    `required` is whether the type is non-null here: a None then is an error for graphql-core to locate.
    """
    kinds = set(map(type, values))
    missing = _NONE in kinds
    if missing and required:
        raise NotBatchable
    kinds.discard(_NONE)
    if not kinds:
        return values
    if isinstance(type_, GraphQLEnumType):
        return _by_value(type_, values)
    quick = _QUICK.get(type_.name)
    if quick is not None and kinds == {quick[0]}:
        there = [value for value in values if value is not None] if missing else values
        if quick[1](there):
            return format_times(values) if type_.name == "DateTime" else values
    return [None if value is None else _serialize(type_, value) for value in values]


def _by_value(type_: GraphQLLeafType, values: Sequence[Any]) -> Sequence[Any]:
    try:
        names = {value: _serialize(type_, value) for value in set(values) if value is not None}
    except TypeError as error:  # an unhashable value
        raise NotBatchable from error
    names[None] = None
    return [names[value] for value in values]


def _serialize(type_: GraphQLLeafType, value: Any) -> Any:
    if isinstance(value, Exception):
        # That row's error. String and ID would write it as text.
        raise NotBatchable from value
    try:
        done = type_.serialize(value)
    except Exception as error:
        raise NotBatchable from error
    if done is None:
        raise NotBatchable
    return done


def _any(_values: Sequence[Any]) -> bool:
    return True


def _finite(values: Sequence[Any]) -> bool:
    # A sum is finite only if all that is in it is; where one overflows, the column just goes value by value.
    return math.isfinite(sum(values))


def _within(bounds: range) -> Callable[[Sequence[Any]], bool]:
    return lambda values: min(values) in bounds and max(values) in bounds


_QUICK: dict[str, tuple[type, Callable[[Sequence[Any]], bool]]] = {
    "String": (str, _any),
    "ID": (str, _any),
    "Boolean": (bool, _any),
    "Float": (float, _finite),
    "Int": (int, _within(_INT_RANGE)),
    "BigInt": (int, _within(BIG_INT_RANGE)),
    "DateTime": (int, _within(BIG_INT_RANGE)),
}
"""What serializes to itself, or for `DateTime` as a column: values of this type that pass this check."""
