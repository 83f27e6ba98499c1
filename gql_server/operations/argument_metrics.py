"""The number of values in the arguments of an operation, counted before any resolver is called.

graphql-core coerces a variable once, and Strawberry converts it again for each argument that uses it, on the
event loop. So the size of a variable counts once for each argument that uses it, and literals count with
fragments expanded. Each fragment is measured once.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from gql_server.operations.document_metrics import fragments_of

OBJECT_VALUES: Final = 10
"""The minimum count of an object, added to its count as an item: converting one takes ten times an id's."""
_LITERALS: Final = ""
"""The key, among the names of variables, of the values of literals."""

VariableUses = Counter[str]
"""The number of arguments that use each variable; under `_LITERALS` the values in the document itself."""


def variable_uses(document: DocumentNode, operation: OperationDefinitionNode) -> VariableUses:
    """Return the uses of variables in an operation; the document's fragments must have no cycle."""
    return _UseCounter(fragments_of(document)).count(operation.selection_set)


def count_values(uses: VariableUses, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
    """Return the number of values in the arguments, in time linear in the variables and their definitions."""
    total = uses[_LITERALS]
    for definition in operation.variable_definitions:
        name = definition.variable.name.value
        value, default = variables.get(name), definition.default_value
        size = _size(value) if name in variables else _literal_uses(default)[_LITERALS]
        total += size * max(1, uses[name])
    return total


@dataclass(frozen=True, slots=True)
class _UseCounter:
    fragments: Mapping[str, FragmentDefinitionNode]
    counted: dict[str, VariableUses] = field(default_factory=dict)

    def count(self, selection_set: SelectionSetNode | None) -> VariableUses:
        uses = VariableUses()
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FragmentSpreadNode):
                uses.update(self._count_fragment(node.name.value))
            elif isinstance(node, FieldNode | InlineFragmentNode):
                for argument in node.arguments if isinstance(node, FieldNode) else ():
                    uses.update(_literal_uses(argument.value))
                uses.update(self.count(node.selection_set))
        return uses

    def _count_fragment(self, name: str) -> VariableUses:
        if name not in self.counted:
            self.counted[name] = self.count(self.fragments[name].selection_set)
        return self.counted[name]


def _literal_uses(value: ValueNode | None) -> VariableUses:
    uses = VariableUses()
    pending = [value]
    while pending:
        match pending.pop():
            case VariableNode(name=name):
                uses[name.value] += 1
            case ListValueNode(values=values):
                uses[_LITERALS] += len(values)
                pending.extend(values)
            case ObjectValueNode(fields=fields):
                uses[_LITERALS] += max(OBJECT_VALUES, len(fields))
                pending.extend(node.value for node in fields)
    return uses


def _size(value: Any) -> int:
    total, pending = 0, [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            total += len(item)
            pending.extend(item)
        elif isinstance(item, dict):
            total += max(OBJECT_VALUES, len(item))
            pending.extend(item.values())
    return total
