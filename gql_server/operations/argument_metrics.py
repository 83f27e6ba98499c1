"""The number of values in the arguments of an operation, counted before any resolver is called.

graphql-core coerces a variable once, and Strawberry converts it again for each argument that uses it, on the
event loop. So the size of a variable counts once for each argument that uses it, and literals count with
fragments expanded. Each fragment is measured once.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

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

_Uses = Counter[str]
"""The number of arguments that use each variable; under `_LITERALS` the values in the document itself."""


class _Variable(NamedTuple):
    name: str
    default_size: int
    uses: int


class ArgumentMetrics:
    """The number of values in the arguments of one operation; the document's fragments must have no cycle."""

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        uses = _UseCounter(fragments_of(document)).count(operation.selection_set)
        self._literals = uses[_LITERALS]
        self._variables = tuple(
            _Variable(name, _literal_uses(definition.default_value)[_LITERALS], max(1, uses[name]))
            for definition in operation.variable_definitions
            for name in (definition.variable.name.value,)
        )

    def count(self, variables: Mapping[str, Any]) -> int:
        """Return the number of values with these variables, in time linear in the variables."""
        return self._literals + sum(
            (_size(variables[name]) if name in variables else default_size) * uses
            for name, default_size, uses in self._variables
        )


@dataclass(frozen=True, slots=True)
class _UseCounter:
    fragments: Mapping[str, FragmentDefinitionNode]
    counted: dict[str, _Uses] = field(default_factory=dict)

    def count(self, selection_set: SelectionSetNode | None) -> _Uses:
        uses = _Uses()
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FragmentSpreadNode):
                uses.update(self._count_fragment(node.name.value))
            elif isinstance(node, FieldNode | InlineFragmentNode):
                for argument in node.arguments if isinstance(node, FieldNode) else ():
                    uses.update(_literal_uses(argument.value))
                uses.update(self.count(node.selection_set))
        return uses

    def _count_fragment(self, name: str) -> _Uses:
        if name not in self.counted:
            self.counted[name] = self.count(self.fragments[name].selection_set)
        return self.counted[name]


def _literal_uses(value: ValueNode | None) -> _Uses:
    uses = _Uses()
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
