"""The values that the arguments of an operation hold: what is read of them before any resolver runs.

graphql-core reads a variable once, and Strawberry converts it again for each argument that it is in, on the
event loop. So what counts is the size of each variable times the arguments that read it, and what is written
out in the document, with fragments spread. Each fragment is measured once.
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

OBJECT: Final = 10
"""What an object counts as at least, beside its place in a list: ten times an id, for so long is it read."""
_WRITTEN: Final = ""
"""The place, among the names of variables, of what is written out in the document."""

VariableUses = Counter[str]
"""How many arguments read each variable; under `_WRITTEN` the values in the document itself."""


def variable_uses(document: DocumentNode, operation: OperationDefinitionNode) -> VariableUses:
    """Return what the arguments of an operation read; the document's fragments must be known to end."""
    return _Walk(fragments_of(document)).selection(operation.selection_set)


def count_values(
    reads: VariableUses, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> int:
    """Return the values that the arguments hold, in time linear in the variables and the operation's own."""
    total = reads[_WRITTEN]
    for definition in operation.variable_definitions:
        name = definition.variable.name.value
        given, default = variables.get(name), definition.default_value
        size = _size(given) if name in variables else _written(default)[_WRITTEN]
        total += size * max(1, reads[name])
    return total


@dataclass(frozen=True, slots=True)
class _Walk:
    fragments: Mapping[str, FragmentDefinitionNode]
    known: dict[str, VariableUses] = field(default_factory=dict)

    def selection(self, chosen: SelectionSetNode | None) -> VariableUses:
        found = VariableUses()
        for node in chosen.selections if chosen else ():
            if isinstance(node, FragmentSpreadNode):
                found.update(self._fragment(node.name.value))
            elif isinstance(node, FieldNode | InlineFragmentNode):
                for argument in node.arguments if isinstance(node, FieldNode) else ():
                    found.update(_written(argument.value))
                found.update(self.selection(node.selection_set))
        return found

    def _fragment(self, name: str) -> VariableUses:
        if name not in self.known:
            self.known[name] = self.selection(self.fragments[name].selection_set)
        return self.known[name]


def _written(value: ValueNode | None) -> VariableUses:
    found = VariableUses()
    waiting = [value]
    while waiting:
        match waiting.pop():
            case VariableNode(name=name):
                found[name.value] += 1
            case ListValueNode(values=values):
                found[_WRITTEN] += len(values)
                waiting.extend(values)
            case ObjectValueNode(fields=fields):
                found[_WRITTEN] += max(OBJECT, len(fields))
                waiting.extend(node.value for node in fields)
    return found


def _size(value: Any) -> int:
    total, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            total += len(one)
            waiting.extend(one)
        elif isinstance(one, dict):
            total += max(OBJECT, len(one))
            waiting.extend(one.values())
    return total
