"""The size of a document with its fragments expanded, measured without expanding them.

graphql-core's rule that overlapping fields can be merged compares fields pair by pair, through fragments: a
document of 2 kB can occupy it for minutes. So a document is measured, and refused, before it is validated.
Each fragment is measured once, however often it is spread, and the time is linear in the document.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

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
    """The totals of a selection with its fragments expanded, and its maximum depth."""

    fields: int = 0
    aliases: int = 0
    directives: int = 0
    depth: int = 0
    root_fields: int = 0

    def plus(self, other: "DocumentMetrics") -> "DocumentMetrics":
        """Return the metrics of both selections together."""
        return DocumentMetrics(
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
            max(self.depth, other.depth),
            self.root_fields + other.root_fields,
        )


_EMPTY: Final = DocumentMetrics()


@dataclass(slots=True)
class _Measurement:
    """Measures the selections of one document."""

    fragments: Mapping[str, FragmentDefinitionNode]
    cyclic: bool = False
    """Whether a fragment spreads itself; there it counts as empty."""
    _measured: dict[str, DocumentMetrics | None] = field(default_factory=dict)

    def selection(self, selection_set: SelectionSetNode | None) -> DocumentMetrics:
        """Return the metrics of a selection."""
        total = _EMPTY
        for node in selection_set.selections if selection_set else ():
            total = total.plus(self._node(node))
        return total

    def _node(self, node: SelectionNode) -> DocumentMetrics:
        directives = DocumentMetrics(directives=len(node.directives))
        if isinstance(node, FieldNode):
            children = self.selection(node.selection_set)
            return DocumentMetrics(
                children.fields + 1,
                children.aliases + (node.alias is not None),
                children.directives + len(node.directives),
                children.depth + 1,
                root_fields=1,
            )
        if isinstance(node, InlineFragmentNode):
            return directives.plus(self.selection(node.selection_set))
        return directives.plus(self._fragment(node.name.value))  # type: ignore[attr-defined]

    def _fragment(self, name: str) -> DocumentMetrics:
        if name not in self._measured:
            self._measured[name] = None
            definition = self.fragments.get(name)
            self._measured[name] = self.selection(definition.selection_set) if definition else _EMPTY
        metrics = self._measured[name]
        self.cyclic = self.cyclic or metrics is None
        return metrics or _EMPTY


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return the fragments of a document by name; the last of several with one name."""
    return {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }


def operations_of(document: DocumentNode) -> list[OperationDefinitionNode]:
    """Return the operations of a document."""
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]


def measure_document(document: DocumentNode) -> tuple[DocumentMetrics, bool]:
    """Return the metrics of all operations and fragments together, and whether a fragment spreads itself.

    `root_fields` is the maximum of the operations. Fragments also count by themselves, because validation
    reads unused ones too. Raises RecursionError for a document that is nested too deeply to be walked.
    """
    measurement = _Measurement(fragments_of(document))
    operations = operations_of(document)
    operation_metrics = [measurement.selection(operation.selection_set) for operation in operations]
    fragment_metrics = [
        measurement.selection(node.selection_set)
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    ]
    total = _EMPTY
    for metrics in [*operation_metrics, *fragment_metrics]:
        total = total.plus(metrics)
    on_definitions = sum(len(getattr(node, "directives", ())) for node in document.definitions)
    total = total._replace(
        root_fields=max((metrics.root_fields for metrics in operation_metrics), default=0),
        directives=total.directives + on_definitions + _directives_on_variables(operations),
    )
    return total, measurement.cyclic


def _directives_on_variables(operations: Iterable[OperationDefinitionNode]) -> int:
    return sum(
        len(variable.directives) for operation in operations for variable in operation.variable_definitions
    )
