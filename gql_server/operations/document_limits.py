"""What a document and its variables may be at most, checked before anything runs, in time linear in them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    GraphQLError,
    NoFragmentCyclesRule,
    OperationDefinitionNode,
    OperationType,
)

from gql_server.config.settings import Settings
from gql_server.operations.argument_metrics import OBJECT
from gql_server.operations.document_metrics import (
    DocumentMetrics,
    fragments_of,
    measure_document,
    operations_of,
)
from gql_server.operations.field_overlaps import count_overlaps

_OPERATIONS = 20
"""Operations of one document; a request runs one."""
_OVERLAPS = 10_000
"""Pairs of fields under one name in one place: each takes graphql-core a microsecond or two to compare."""

FORM = [NoFragmentCyclesRule]
"""What must hold before fragments can be spread at all."""


class DocumentLimitError(GraphQLError):
    """The document passes a bound; the message names the bound and its setting."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """The bounds of a document; each is the setting of its name."""

    max_document_bytes: int = 100_000
    max_tokens: int = 5000
    max_depth: int = 20
    max_fields: int = 5000
    max_aliases: int = 200
    max_root_fields: int = 50
    max_directives: int = 100
    max_fragments: int = 100
    max_values: int = 20_000
    max_batch: int = 20_000

    @classmethod
    def of(cls, settings: Settings) -> "DocumentLimits":
        """Return the bounds that the settings name."""
        return cls(**{name: getattr(settings, name) for name in cls.__dataclass_fields__})

    def check_source(self, source: str) -> None:
        """Raise PassesBound for a document that is too large to be parsed."""
        most = self.max_document_bytes
        if len(source) > most or len(source.encode("utf-8", "surrogatepass")) > most:
            message = f"The document is larger than {most} bytes (GQL_MAX_DOCUMENT_BYTES)."
            raise DocumentLimitError(message)
        # graphql-core goes through the lines for each error, to tell its place.
        if source.count("\n") + source.count("\r") - source.count("\r\n") > self.max_tokens:
            message = f"The document has more than {self.max_tokens} lines (GQL_MAX_TOKENS)."
            raise DocumentLimitError(message)

    def check(self, document: DocumentNode) -> bool:
        """Say whether its fragments can be spread; raise PassesBound for what is too large once they are."""
        # Counted first, or a long chain of them would be walked.
        counted = len(fragments_of(document)), self.max_fragments, "fragments", "max_fragments"
        self._check_counts([counted])
        if len(operations_of(document)) > _OPERATIONS:
            message = f"The document has more than {_OPERATIONS} operations."
            raise DocumentLimitError(message)
        try:
            shape, cyclic = measure_document(document)
        except RecursionError:
            raise self.too_deep() from None
        self._check_counts(self._counts(shape))
        if not cyclic and count_overlaps(document, _OVERLAPS) > _OVERLAPS:
            message = f"The document selects fields of one name in one place more than {_OVERLAPS} times."
            raise DocumentLimitError(message)
        return not cyclic

    def check_values(self, values: int, operation: OperationDefinitionNode) -> None:
        """Raise PassesBound where the arguments of an operation hold more than it may read."""
        most, names = self.max_values, "GQL_MAX_VALUES"
        if operation.operation is OperationType.MUTATION:
            # Each thing that it may change is an object in a list.
            most, names = most + self.max_batch * (OBJECT + 1), f"{names} and GQL_MAX_BATCH"
        if values > most:
            message = (
                f"The arguments hold more than {most} values ({names}), where an object counts as {OBJECT} "
                "and a variable counts for each argument that reads it."
            )
            raise DocumentLimitError(message)

    def too_deep(self) -> DocumentLimitError:
        """Return the error of a document that is nested too deep to be read."""
        return _too_many("levels", self.max_depth, "max_depth")

    def _check_counts(self, counts: Iterable[tuple[int, int, str, str]]) -> None:
        for count, most, what, name in counts:
            if count > most:
                raise _too_many(what, most, name)

    def _counts(self, shape: DocumentMetrics) -> Iterator[tuple[int, int, str, str]]:
        yield shape.depth, self.max_depth, "levels", "max_depth"
        yield shape.fields, self.max_fields, "fields, with its fragments spread,", "max_fields"
        yield shape.aliases, self.max_aliases, "aliases", "max_aliases"
        yield shape.roots, self.max_root_fields, "fields at its root", "max_root_fields"
        yield shape.directives, self.max_directives, "directives", "max_directives"


def _too_many(what: str, most: int, name: str) -> DocumentLimitError:
    return DocumentLimitError(f"The document has more than {most} {what} (GQL_{name.upper()}).")
