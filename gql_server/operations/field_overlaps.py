"""How many pairs of fields graphql-core compares to see that fields of one name can be merged."""

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


def count_overlaps(document: DocumentNode, most: int) -> int:
    """Return the pairs of fields that answer under one name in one place, counted up to `most` or so.

    It walks the document with its fragments spread: that must be known to end, and to be bounded.
    """
    fragments = fragments_of(document)
    pairs = 0
    places: list[list[SelectionSetNode]] = [
        [node.selection_set] for node in document.definitions if hasattr(node, "selection_set")
    ]
    while places and pairs <= most:
        named: dict[str, list[FieldNode]] = defaultdict(list)
        for node in _fields(places.pop(), fragments):
            named[(node.alias or node.name).value].append(node)
        for nodes in named.values():
            pairs += len(nodes) * (len(nodes) - 1) // 2
            below = [node.selection_set for node in nodes if node.selection_set]
            if below:
                places.append(below)
    return pairs


def _fields(
    chosen: Sequence[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[FieldNode]:
    waiting = list(chosen)
    spread: set[str] = set()
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                # In one place a fragment is compared once, however often it is spread there.
                if name in fragments and name not in spread:
                    spread.add(name)
                    waiting.append(fragments[name].selection_set)
