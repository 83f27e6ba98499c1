"""The shape of a document: how large it is once its fragments are spread, found without spreading them.

graphql-core's own rule that overlapping fields can be merged compares fields pair by pair, through
fragments: a document of 2 kB can keep it busy for minutes. So a document is measured, and refused, before it
is validated. Each fragment is measured once, whoever spreads it, and the time is linear in the document.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)


class DocumentMetrics(NamedTuple):
    """What a selection comes to with its fragments spread: sums, but for the depth, which is the greatest."""

    fields: int = 0
    aliases: int = 0
    directives: int = 0
    depth: int = 0
    roots: int = 0
    """Fields at the top."""

    def beside(self, other: "DocumentMetrics") -> "DocumentMetrics":
        """Return the shape of both selections in one place."""
        return DocumentMetrics(
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
            max(self.depth, other.depth),
            self.roots + other.roots,
        )


_NOTHING = DocumentMetrics()


@dataclass(slots=True)
class _Measurement:
    """Measures the selections of one document."""

    fragments: Mapping[str, FragmentDefinitionNode]
    cyclic: bool = False
    """Whether a fragment was found to spread itself; there it counts as nothing."""
    _known: dict[str, DocumentMetrics | None] = field(default_factory=dict)

    def selection(self, chosen: SelectionSetNode | None) -> DocumentMetrics:
        """Return the shape of a selection."""
        total = _NOTHING
        for node in chosen.selections if chosen else ():
            total = total.beside(self._one(node))
        return total

    def _one(self, node: SelectionNode) -> DocumentMetrics:
        directives = DocumentMetrics(directives=len(node.directives))
        if isinstance(node, FieldNode):
            below = self.selection(node.selection_set)
            return DocumentMetrics(
                below.fields + 1,
                below.aliases + (node.alias is not None),
                below.directives + len(node.directives),
                below.depth + 1,
                roots=1,
            )
        if isinstance(node, InlineFragmentNode):
            return directives.beside(self.selection(node.selection_set))
        return directives.beside(self._fragment(node.name.value))  # type: ignore[attr-defined]

    def _fragment(self, name: str) -> DocumentMetrics:
        if name not in self._known:
            self._known[name] = None
            definition = self.fragments.get(name)
            self._known[name] = self.selection(definition.selection_set) if definition else _NOTHING
        known = self._known[name]
        self.cyclic = self.cyclic or known is None
        return known or _NOTHING


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return the fragments of a document by name; of several with one name, the last."""
    return {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }


def operations_of(document: DocumentNode) -> list[OperationDefinitionNode]:
    """Return the operations of a document."""
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]


def measure_document(document: DocumentNode) -> tuple[DocumentMetrics, bool]:
    """Return the shape of all operations and fragments together, and whether a fragment spreads itself.

    Roots are the most that one operation has. Fragments count for themselves too: validation reads those that
    nobody spreads. Raises RecursionError for what is nested too deep even to be walked.
    """
    measure = _Measurement(fragments_of(document))
    operations = operations_of(document)
    shapes = [measure.selection(operation.selection_set) for operation in operations]
    spread = [
        measure.selection(node.selection_set)
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    ]
    total = _NOTHING
    for shape in [*shapes, *spread]:
        total = total.beside(shape)
    own = sum(len(getattr(node, "directives", ())) for node in document.definitions)
    whole = total._replace(
        roots=max((shape.roots for shape in shapes), default=0),
        directives=total.directives + own + _on_variables(operations),
    )
    return whole, measure.cyclic


def _on_variables(operations: Iterable[OperationDefinitionNode]) -> int:
    return sum(
        len(variable.directives) for operation in operations for variable in operation.variable_definitions
    )
