"""The variables of an operation, coerced with as little work as their types need."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from graphql import (
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    type_from_ast,
    value_from_ast,
)
from graphql.execution.values import get_variable_values

_MAX_ERRORS: Final = 1
"""Invalid variables are coerced again by graphql-core, which reports all errors."""


class OperationVariables:
    """Coerces the variables of one operation. Their types and default values are read from it once."""

    __slots__ = ("_definitions", "_plain", "_schema")

    def __init__(self, schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode]) -> None:
        self._schema = schema
        self._definitions = definitions
        plain = [_plain_variable(schema, definition) for definition in definitions]
        self._plain = None if None in plain else plain

    def coerce(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the coerced values; None if one of them is invalid or missing."""
        if self._plain is None:
            coerced = get_variable_values(self._schema, self._definitions, dict(values), _MAX_ERRORS)
            return coerced if isinstance(coerced, dict) else None
        result: dict[str, Any] = {}
        try:
            for variable in self._plain:
                variable.add_to(result, values)  # type: ignore[union-attr]
        except Exception:  # noqa: BLE001 - a type may raise any exception for an invalid value
            return None
        return result


class _PlainVariable:
    """A variable of a scalar or an enum, or of a list of them."""

    __slots__ = ("_default", "_item_required", "_list", "_name", "_parse", "_required")

    def __init__(self, name: str, type_: Any, default: Any) -> None:
        nullable = get_nullable_type(type_)
        self._name = name
        self._default = default
        self._required = is_non_null_type(type_)
        self._list = is_list_type(nullable)
        self._item_required = self._list and is_non_null_type(nullable.of_type)
        self._parse: Callable[[Any], Any] = get_named_type(type_).parse_value

    def add_to(self, result: dict[str, Any], values: Mapping[str, Any]) -> None:
        """Add the coerced value, if there is one; raise an exception if it is invalid."""
        value = values.get(self._name, Undefined)
        if value is Undefined:
            if self._default is not Undefined:
                result[self._name] = self._default
            elif self._required:
                raise ValueError(self._name)
        elif value is None:
            if self._required:
                raise ValueError(self._name)
            result[self._name] = None
        elif not self._list:
            result[self._name] = _parsed(self._parse, value)
        else:
            items = value if isinstance(value, list) else [value]
            result[self._name] = [self._item(item) for item in items]

    def _item(self, item: Any) -> Any:
        if item is not None:
            return _parsed(self._parse, item)
        if self._item_required:
            raise ValueError(self._name)
        return None


def _parsed(parse: Callable[[Any], Any], value: Any) -> Any:
    parsed = parse(value)
    if parsed is Undefined:
        raise ValueError(value)
    return parsed


def _plain_variable(schema: GraphQLSchema, definition: VariableDefinitionNode) -> _PlainVariable | None:
    """Return a variable of a leaf type or of a list of leaves; None for another type."""
    type_: Any = type_from_ast(schema, definition.type)
    nullable = get_nullable_type(type_)
    item = get_nullable_type(nullable.of_type) if is_list_type(nullable) else nullable
    if not is_leaf_type(item):
        return None
    default: Any = Undefined
    if definition.default_value:
        default = value_from_ast(definition.default_value, type_)
    return _PlainVariable(definition.variable.name.value, type_, default)
