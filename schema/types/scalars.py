"""The scalars that GraphQL does not define: 64-bit integers and times."""

from typing import Any, NewType

import strawberry
from graphql import GraphQLError, IntValueNode, StringValueNode, ValueNode, print_ast
from strawberry.types.scalar import ScalarDefinition

from schema.engine.times import format_time, parse_time
from schema.ports.big_int import BIG_INT_RANGE

BigInt = NewType("BigInt", int)
"""A 64-bit integer."""

DateTime = NewType("DateTime", int)
"""Milliseconds since 1970-01-01T00:00Z, as MLflow stores times."""


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
        message = "BigInt must be a 64-bit integer."
        raise GraphQLError(message)
    return value


def _parse_big_int_literal(node: ValueNode, _variables: dict[str, Any] | None = None) -> int:
    return _big_int(int(node.value) if isinstance(node, IntValueNode) else print_ast(node))


SCALARS: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A 64-bit integer, as a JSON number. Used for steps and file sizes.",
        serialize=_big_int,
        parse_value=_big_int,
        parse_literal=_parse_big_int_literal,
    ),
    DateTime: strawberry.scalar(
        name="DateTime",
        description=(
            "A time in RFC 3339 format, in UTC with milliseconds, such as 2026-11-23T05:15:00.123Z. Inputs "
            "accept any offset. Years of more than four digits have the format of ECMAScript."
        ),
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
        serialize=_serialize_time,
        parse_value=_parse_time,
        parse_literal=_parse_time_literal,
    ),
}
"""The scalars by the Python type that the types of the schema use for them."""
