"""The cost of an operation: an upper limit of its objects, from the page sizes and lists of nested fields."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from cachetools import LRUCache
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

from gql_server.operations.cost_map import field_cost, introspection_costs
from gql_server.operations.document_metrics import fragments_of

_CONNECTION: Final = "Connection"
_MAX_SIZE: Final = 1_000_000_000
"""More than any limit; it replaces larger numbers."""
_LEAVES_PER_OBJECT: Final = 10
"""Leaves of one object that cost as much as another object; fewer cost nothing."""
_LEAVES_PER_LIST: Final = 2
"""Leaves that a list of leaves counts as, where a tenth of its items is an object (`cost_map`)."""
_CACHED_COSTS: Final = 16
"""Costs of one operation that are cached; pages of one size and its lists of some lengths are a few."""


class OperationCost:
    """The cost of one operation of a valid document, with its fragments expanded.

    The time of a calculation is linear in the expanded fields, whose number must be limited. The cost depends
    on the sizes of the variables in size arguments alone, so the costs of their last combinations are cached.
    """

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = fragments_of(document)
        self._defaults = {
            definition.variable.name.value: _literal(definition.default_value, {})
            for definition in operation.variable_definitions
        }
        self._size_variables: set[str] = set()
        self._costs: LRUCache[Hashable, int] = LRUCache(_CACHED_COSTS)

    def of(self, variables: Mapping[str, Any]) -> int:
        """Return the cost with these variables."""
        values = {**self._defaults, **variables}
        cost = self._costs.get(self._sizes(values))
        if cost is None:
            cost = self._calculate(values)
            # The first calculation finds the variables that the key consists of.
            self._costs[self._sizes(values)] = cost
        return cost

    def _calculate(self, values: Mapping[str, Any]) -> int:
        calculation = _Calculation(self._schema, self._fragments, values, self._size_variables)
        root = self._schema.get_root_type(self._operation.operation)
        return calculation.selection_cost(self._operation.selection_set, root, page_size=None)

    def _sizes(self, values: Mapping[str, Any]) -> Hashable:
        # A null has the default of its argument, unlike a value that has no size.
        return tuple(
            None if values.get(name) is None else (_size_of(values[name]),)
            for name in sorted(self._size_variables)
        )


@dataclass(frozen=True, slots=True)
class _Calculation:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    size_variables: set[str]
    """Gets the names of the variables in size arguments."""

    def selection_cost(self, selection_set: SelectionSetNode, parent: Any, page_size: int | None) -> int:
        """Return the cost for one parent; `page_size` is that of a connection, None for other types."""
        objects = leaves = 0
        for node, type_ in self._fields(selection_set, parent):
            field_objects, field_leaves = self._field_cost(node, type_, page_size)
            objects, leaves = objects + field_objects, leaves + field_leaves
        return objects + leaves // _LEAVES_PER_OBJECT

    def _fields(self, selection_set: SelectionSetNode, parent: Any) -> Iterator[tuple[FieldNode, Any]]:
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                yield node, parent
                continue
            fragment: Any = node
            if isinstance(node, FragmentSpreadNode):
                fragment = self.fragments[node.name.value]
            condition = fragment.type_condition
            type_ = self.schema.get_type(condition.name.value) if condition else parent
            yield from self._fields(fragment.selection_set, type_)

    def _field_cost(self, node: FieldNode, parent: Any, page_size: int | None) -> tuple[int, int]:
        """Return the objects and the leaves that a field counts as, for one parent."""
        field = self._definition(parent, node.name.value)
        if field is None:
            return 0, 1
        named: Any = get_named_type(field.type)
        is_list = is_list_type(get_nullable_type(cast("Any", field.type)))
        if not is_composite_type(named):
            return 0, _LEAVES_PER_LIST if is_list else 1
        items = self._items(node, parent, field, page_size, is_list=is_list)
        if node.selection_set is None:
            return 0, 0
        if not is_list and named.name.endswith(_CONNECTION):
            return 1 + self.selection_cost(node.selection_set, named, items), 0
        return items * (1 + self.selection_cost(node.selection_set, named, None)), 0

    def _definition(self, parent: Any, name: str) -> GraphQLField | None:
        if is_object_type(parent) or is_interface_type(parent):
            field: GraphQLField | None = parent.fields.get(name)
            if field is not None:
                return field
        meta = {"__schema": "__Schema", "__type": "__Type"}.get(name)
        type_ = self.schema.get_type(meta) if meta else None
        return GraphQLField(type_) if type_ else None  # type: ignore[arg-type]

    def _items(
        self, node: FieldNode, parent: Any, field: GraphQLField, page_size: int | None, *, is_list: bool
    ) -> int:
        if page_size is not None and is_list:
            return page_size
        name = node.name.value
        cost = introspection_costs(self.schema).get(f"{parent.name}.{name}") or field_cost(
            parent.name, name, tuple(field.args), is_list=is_list
        )
        arguments = {argument.name.value: argument.value for argument in node.arguments}
        sizes = [self._size(arguments.get(name), field, name) for name in cost.size_arguments]
        size = next((size for size in sizes if size is not None), cost.items)
        return -(-size // cost.items_per_object)

    def _size(self, argument: ValueNode | None, field: GraphQLField, name: str) -> int | None:
        if isinstance(argument, VariableNode):
            self.size_variables.add(argument.name.value)
        value = None if argument is None else _literal(argument, self.variables)
        if value is None and name in field.args:
            value = field.args[name].default_value
        return _size_of(value)


def _literal(value: ValueNode | None, variables: Mapping[str, Any]) -> Any:
    match value:
        case IntValueNode():
            # Python refuses to parse numbers of thousands of digits.
            return int(value.value) if len(value.value) < len(str(_MAX_SIZE)) else _MAX_SIZE
        case ListValueNode():
            return value.values
        case VariableNode():
            return variables.get(value.name.value)
    # GraphQL coerces a single value to a list of one.
    return None if value is None or value.kind == "null_value" else (value,)


def _size_of(value: Any) -> int | None:
    match value:
        case bool() | None:
            return None
        case int():
            return max(0, min(value, _MAX_SIZE))
        case float():
            return max(0, int(min(value, float(_MAX_SIZE))))
        case str() | dict():
            return 1
        case list() | tuple():
            return len(value)
    return None
