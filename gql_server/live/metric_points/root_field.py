"""The root field of a subscription, which has exactly one."""

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, SelectionSetNode

from gql_server.operations.admission import AdmittedOperation


def root_field(operation: AdmittedOperation) -> str:
    """Return the name of the only root field of a valid subscription."""
    fragments = {
        definition.name.value: definition
        for definition in operation.document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    selections: SelectionSetNode = operation.operation.definition.selection_set
    while True:
        first = selections.selections[0]
        if isinstance(first, FieldNode):
            return first.name.value
        selections = (
            fragments[first.name.value].selection_set
            if isinstance(first, FragmentSpreadNode)
            else first.selection_set  # type: ignore[attr-defined]  # an inline fragment
        )
