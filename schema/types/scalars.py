"""The two scalars that GraphQL lacks: 64-bit integers and points in time."""

from typing import Any, NewType

import strawberry
from graphql import GraphQLError, IntValueNode, StringValueNode, ValueNode, print_ast
from strawberry.types.scalar import ScalarDefinition

from schema.engine.times import format_time, parse_time
from schema.ports.big_int import BIG_INT_RANGE

BigInt = NewType("BigInt", int)
"""A 64-bit integer."""

DateTime = NewType("DateTime", int)
"""Milliseconds since 1970-01-01T00:00Z, which is what MLflow stores."""


def _serialize_time(value: Any) -> str:
    if type(value) is not int:
        message = f"DateTime cannot represent {value!r}."
        raise GraphQLError(message)
    return format_time(value)


def _parse_time(value: Any) -> int:
    try:
        return parse_time(value)
    except (TypeError, ValueError):
        message = "DateTime must be an RFC 3339 string with an offset, such as 2026-11-23T05:15:00.123Z."
        raise GraphQLError(message) from None


def _parse_time_literal(node: ValueNode, _variables: dict[str, Any] | None = None) -> int:
    return _parse_time(node.value if isinstance(node, StringValueNode) else None)


def _big_int(value: Any) -> int:
    if type(value) is not int or value not in BIG_INT_RANGE:
        message = "BigInt must be a whole number of 64 bits."
        raise GraphQLError(message)
    return value


def _parse_big_int_literal(node: ValueNode, _variables: dict[str, Any] | None = None) -> int:
    return _big_int(int(node.value) if isinstance(node, IntValueNode) else print_ast(node))


SCALARS: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number of 64 bits, as a JSON number: a metric's step, a file's size.",
        serialize=_big_int,
        parse_value=_big_int,
        parse_literal=_parse_big_int_literal,
    ),
    DateTime: strawberry.scalar(
        name="DateTime",
        description=(
            "A point in time as RFC 3339 in UTC with milliseconds, such as 2026-11-23T05:15:00.123Z. "
            "Input takes any offset. Years beyond four digits are written as ECMAScript writes them."
        ),
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
        serialize=_serialize_time,
        parse_value=_parse_time,
        parse_literal=_parse_time_literal,
    ),
}
"""The scalars by the Python type that stands for them in the schema's code."""
