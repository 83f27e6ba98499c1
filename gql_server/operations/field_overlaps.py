"""The pairs of fields that graphql-core compares to check that fields of one name can be merged."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from gql_server.operations.document_metrics import fragments_of


def count_overlaps(document: DocumentNode, limit: int) -> int:
    """Return the number of pairs of fields that have one name in one selection, counted up to about `limit`.

    The document is walked with its fragments expanded, so they must have no cycle and a limited size.
    """
    fragments = fragments_of(document)
    pairs = 0
    pending: list[list[SelectionSetNode]] = [
        [node.selection_set] for node in document.definitions if hasattr(node, "selection_set")
    ]
    while pending and pairs <= limit:
        by_name: dict[str, list[FieldNode]] = defaultdict(list)
        for node in _fields(pending.pop(), fragments):
            by_name[(node.alias or node.name).value].append(node)
        for nodes in by_name.values():
            pairs += len(nodes) * (len(nodes) - 1) // 2
            children = [node.selection_set for node in nodes if node.selection_set]
            if children:
                pending.append(children)
    return pairs


def _fields(
    selection_sets: Sequence[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[FieldNode]:
    pending = list(selection_sets)
    expanded: set[str] = set()
    while pending:
        for node in pending.pop().selections:
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                pending.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                # graphql-core compares a fragment once in a selection, however often it is spread there.
                if name in fragments and name not in expanded:
                    expanded.add(name)
                    pending.append(fragments[name].selection_set)
