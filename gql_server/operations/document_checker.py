"""Checking the size of a document and of its arguments before the document is validated."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from graphql import (
    DocumentNode,
    GraphQLError,
    NoFragmentCyclesRule,
    OperationDefinitionNode,
    OperationType,
)

from gql_server.config.limits import DocumentLimits
from gql_server.operations.argument_metrics import OBJECT_VALUES
from gql_server.operations.document_metrics import (
    DocumentMetrics,
    fragments_of,
    measure_document,
    operations_of,
)
from gql_server.operations.field_overlaps import count_overlaps

_MAX_OPERATIONS: Final = 20
"""Operations of one document; a request executes one."""
_MAX_OVERLAPS: Final = 10_000
"""Pairs of fields of one name; graphql-core takes a microsecond or two to compare a pair."""

EXPANSION_RULES: Final = [NoFragmentCyclesRule]
"""The rule of validation for a document whose fragments cannot be expanded, because they have a cycle."""


class DocumentLimitError(GraphQLError):
    """The document exceeds a limit; the message has the limit and its setting."""


@dataclass(frozen=True, slots=True)
class DocumentChecker:
    """Checks documents against the limits, in time linear in the document."""

    limits: DocumentLimits

    def check_source(self, source: str) -> None:
        """Raise `DocumentLimitError` for a document that is too large to be parsed."""
        max_bytes, max_lines = self.limits.max_document_bytes, self.limits.max_tokens
        if len(source) > max_bytes or len(source.encode("utf-8", "surrogatepass")) > max_bytes:
            message = f"The document is larger than {max_bytes} bytes (GQL_MAX_DOCUMENT_BYTES)."
            raise DocumentLimitError(message)
        # graphql-core counts the lines for each error, to report its location.
        if source.count("\n") + source.count("\r") - source.count("\r\n") > max_lines:
            message = f"The document has more than {max_lines} lines (GQL_MAX_TOKENS)."
            raise DocumentLimitError(message)

    def check(self, document: DocumentNode) -> bool:
        """Return whether the fragments can be expanded, that is, have no cycle.

        Raises `DocumentLimitError` for a document that is too large with its fragments expanded.
        """
        # Fragments are counted first, so that a long chain of them is not walked.
        fragments = len(fragments_of(document)), self.limits.max_fragments, "fragments", "max_fragments"
        self._check_counts([fragments])
        if len(operations_of(document)) > _MAX_OPERATIONS:
            message = f"The document has more than {_MAX_OPERATIONS} operations."
            raise DocumentLimitError(message)
        try:
            metrics, cyclic = measure_document(document)
        except RecursionError:
            raise self.too_deep() from None
        self._check_counts(self._counts(metrics))
        if not cyclic and count_overlaps(document, _MAX_OVERLAPS) > _MAX_OVERLAPS:
            message = f"The document selects fields of one name together more than {_MAX_OVERLAPS} times."
            raise DocumentLimitError(message)
        return not cyclic

    def check_values(self, values: int, operation: OperationDefinitionNode) -> None:
        """Raise `DocumentLimitError` for an operation with too many values in its arguments."""
        max_values, settings = self.limits.max_values, "GQL_MAX_VALUES"
        if operation.operation is OperationType.MUTATION:
            # Each object that a mutation writes is an object in a list.
            max_values += self.limits.max_batch * (OBJECT_VALUES + 1)
            settings = f"{settings} and GQL_MAX_BATCH"
        if values > max_values:
            message = (
                f"The arguments have more than {max_values} values ({settings}). An object counts as "
                f"{OBJECT_VALUES} values, and a variable counts for each argument that uses it."
            )
            raise DocumentLimitError(message)

    def too_deep(self) -> DocumentLimitError:
        """Return the error of a document that is nested too deeply."""
        return _limit_error("levels", self.limits.max_depth, "max_depth")

    def _check_counts(self, counts: Iterable[tuple[int, int, str, str]]) -> None:
        for count, limit, noun, setting in counts:
            if count > limit:
                raise _limit_error(noun, limit, setting)

    def _counts(self, metrics: DocumentMetrics) -> Iterator[tuple[int, int, str, str]]:
        limits = self.limits
        yield metrics.depth, limits.max_depth, "levels", "max_depth"
        yield metrics.fields, limits.max_fields, "fields, with its fragments expanded,", "max_fields"
        yield metrics.aliases, limits.max_aliases, "aliases", "max_aliases"
        yield metrics.root_fields, limits.max_root_fields, "root fields", "max_root_fields"
        yield metrics.directives, limits.max_directives, "directives", "max_directives"


def _limit_error(noun: str, limit: int, setting: str) -> DocumentLimitError:
    return DocumentLimitError(f"The document has more than {limit} {noun} (GQL_{setting.upper()}).")
