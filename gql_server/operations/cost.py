"""What an operation costs at most, known before it runs: pages and lists multiplied down the tree."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_interface_type,
    is_list_type,
    is_object_type,
)

from gql_server.operations.cost_map import cost_of, introspection
from gql_server.operations.document_metrics import fragments_of

_CONNECTION = "Connection"
_MANY = 1_000_000_000
"""More than any bound: what a number too large for the graph stands for."""


@dataclass(frozen=True, slots=True)
class CostCalculator:
    """Counts the objects that operations of a schema may ask for."""

    schema: GraphQLSchema

    def of(
        self, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> int:
        """Return the cost of an operation of a valid document, with its fragments spread.

        It takes time linear in the fields that there are then, which must be bounded.
        """
        root = self.schema.get_root_type(operation.operation)
        defaults = {
            definition.variable.name.value: _literal(definition.default_value, {})
            for definition in operation.variable_definitions
        }
        walk = _Walk(self.schema, fragments_of(document), {**defaults, **variables})
        return walk.selection(operation.selection_set, root, page=None)


@dataclass(frozen=True, slots=True)
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]

    def selection(self, chosen: SelectionSetNode, parent: Any, page: int | None) -> int:
        """Return the cost for one parent; `page` is the size of its page where it is a connection."""
        return sum(self._field(node, type_, page) for node, type_ in self._fields(chosen, parent))

    def _fields(self, chosen: SelectionSetNode, parent: Any) -> Iterator[tuple[FieldNode, Any]]:
        for node in chosen.selections:
            if isinstance(node, FieldNode):
                yield node, parent
                continue
            source: Any = node
            if isinstance(node, FragmentSpreadNode):
                source = self.fragments[node.name.value]
            condition = source.type_condition
            type_ = self.schema.get_type(condition.name.value) if condition else parent
            yield from self._fields(source.selection_set, type_)

    def _field(self, node: FieldNode, parent: Any, page: int | None) -> int:
        field = self._definition(parent, node.name.value)
        named: Any = get_named_type(field.type) if field else None
        if field is None or not is_composite_type(named):
            return 0
        is_list = is_list_type(get_nullable_type(cast("Any", field.type)))
        items = self._items(node, parent, field, page, is_list=is_list)
        below = node.selection_set
        if below is None:
            return 0
        if not is_list and named.name.endswith(_CONNECTION):
            return 1 + self.selection(below, named, items)
        return items * (1 + self.selection(below, named, None))

    def _definition(self, parent: Any, name: str) -> GraphQLField | None:
        if is_object_type(parent) or is_interface_type(parent):
            found: GraphQLField | None = parent.fields.get(name)
            if found is not None:
                return found
        meta = {"__schema": "__Schema", "__type": "__Type"}.get(name)
        type_ = self.schema.get_type(meta) if meta else None
        return GraphQLField(type_) if type_ else None  # type: ignore[arg-type]

    def _items(
        self, node: FieldNode, parent: Any, field: GraphQLField, page: int | None, *, is_list: bool
    ) -> int:
        if page is not None and is_list:
            return page
        name = node.name.value
        cost = introspection(self.schema).get(f"{parent.name}.{name}") or cost_of(
            parent.name, name, tuple(field.args), is_list=is_list
        )
        given = {argument.name.value: argument.value for argument in node.arguments}
        sizes = (self._size(given.get(name), field, name) for name in cost.by)
        size = next((size for size in sizes if size is not None), cost.items)
        return -(-size // cost.together)

    def _size(self, value: ValueNode | None, field: GraphQLField, name: str) -> int | None:
        said = None if value is None else _literal(value, self.variables)
        if said is None and name in field.args:
            said = field.args[name].default_value
        return _size_of(said)


def _literal(value: ValueNode | None, variables: Mapping[str, Any]) -> Any:
    match value:
        case IntValueNode():
            # Python refuses to read numbers of thousands of digits.
            return int(value.value) if len(value.value) < len(str(_MANY)) else _MANY
        case ListValueNode():
            return value.values
        case VariableNode():
            return variables.get(value.name.value)
    # A single value stands for a list of one.
    return None if value is None or value.kind == "null_value" else (value,)


def _size_of(said: Any) -> int | None:
    match said:
        case bool() | None:
            return None
        case int():
            return max(0, min(said, _MANY))
        case float():
            return max(0, int(min(said, float(_MANY))))
        case str() | dict():
            return 1
        case list() | tuple():
            return len(said)
    return None
