"""The arguments of a field of a document, coerced once where they do not depend on variables.

graphql-core coerces the arguments of a field each time that the field is executed, and Strawberry converts
them to Python objects. Here this happens once for literals. An argument that is a variable has the variable's
value, which is coerced already.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLSchema,
    ValueNode,
    VariableNode,
    Visitor,
    get_named_type,
    is_leaf_type,
    is_non_null_type,
    visit,
)
from graphql.execution.values import get_argument_values
from strawberry.types.arguments import StrawberryArgument, convert_argument

DEFINITION: Final = "strawberry-definition"
"""The key of Strawberry's definition in the extensions of a type, a field or a schema."""


@dataclass(frozen=True, slots=True)
class _Argument:
    """One argument that depends on variables. `variable` is None if it is a part of a list or object only."""

    name: str
    variable: str | None
    required: bool
    coerce: Callable[[dict[str, Any]], dict[str, Any]]
    convert: Callable[[Any], Any] | None

    def add_to(self, values: dict[str, Any], variables: dict[str, Any]) -> None:
        """Add the value of the argument, unless it is omitted. Raise `GraphQLError` if it is invalid."""
        value = variables.get(self.variable) if self.variable is not None else None
        if value is None and (self.required or self.variable not in variables):
            coerced = self.coerce(variables)
            if not coerced:
                return
            (value,) = coerced.values()
        values[self.name] = value if self.convert is None else self.convert(value)


class FieldArguments:
    """The arguments that a resolver is called with, for any values of the variables."""

    __slots__ = ("_constant", "_variable")

    def __init__(self, constant: Mapping[str, Any], variable: Sequence[_Argument]) -> None:
        self._constant = constant
        self._variable = variable

    @property
    def is_constant(self) -> bool:
        """Return whether the arguments are the same for all values of variables."""
        return not self._variable

    def values(self, variables: dict[str, Any]) -> Mapping[str, Any]:
        """Return the arguments by Python name; raise graphql-core's `GraphQLError` if one is invalid."""
        if not self._variable:
            return self._constant
        values = dict(self._constant)
        for argument in self._variable:
            argument.add_to(values, variables)
        return values


NO_ARGUMENTS: Final = FieldArguments({}, ())


def field_arguments(
    schema: GraphQLSchema, field: GraphQLField, node: FieldNode, arguments: Sequence[StrawberryArgument]
) -> FieldArguments:
    """Return the arguments of a field; raise `GraphQLError` if one of the literals is invalid."""
    if not arguments:
        return NO_ARGUMENTS
    name_of = schema.extensions[DEFINITION].config.name_converter.from_argument
    nodes = {argument.name.value: argument for argument in node.arguments}
    constant: dict[str, Any] = {}
    variable: list[_Argument] = []
    for definition in arguments:
        name = name_of(definition)
        argument = _argument(schema, definition, name, field.args[name], nodes.get(name))
        if name in nodes and _has_variable(nodes[name].value):
            variable.append(argument)
        else:
            argument.add_to(constant, {})
    return FieldArguments(constant, tuple(variable))


def _argument(
    schema: GraphQLSchema,
    definition: StrawberryArgument,
    name: str,
    type_def: GraphQLArgument,
    node: ArgumentNode | None,
) -> _Argument:
    # graphql-core reads only these attributes of a field and its node.
    field: Any = SimpleNamespace(args={name: type_def})
    field_node: Any = SimpleNamespace(arguments=[node] if node else [])
    return _Argument(
        definition.python_name,
        node.value.name.value if node and isinstance(node.value, VariableNode) else None,
        is_non_null_type(type_def.type),
        lambda variables: get_argument_values(field, field_node, variables),
        None if is_leaf_type(get_named_type(type_def.type)) else _converter(schema, definition),
    )


def _converter(schema: GraphQLSchema, definition: StrawberryArgument) -> Callable[[Any], Any]:
    strawberry_schema = schema.extensions[DEFINITION]
    type_, scalars = definition.type, strawberry_schema.schema_converter.scalar_registry
    return lambda value: convert_argument(value, type_, scalars, strawberry_schema.config)


def _has_variable(value: ValueNode) -> bool:
    found: list[VariableNode] = []

    class _Variables(Visitor):
        def enter_variable(self, node: VariableNode, *_: Any) -> None:
            found.append(node)

    visit(value, _Variables())
    return bool(found)
