"""The cache of parsed and validated documents."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cachetools import LRUCache
from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    OperationDefinitionNode,
    VariablesInAllowedPositionRule,
    parse,
    specified_rules,
    validate,
)

from gql_server.operations.document_checker import EXPANSION_RULES, DocumentChecker, DocumentLimitError
from gql_server.operations.document_metrics import operations_of
from gql_server.operations.document_operation import DocumentOperation
from gql_server.operations.document_tokens import discard_tokens
from schema.engine.operation_plan import FIELD_BYTES, PlannedQuery

_NODE_BYTES: Final = 330
"""Bytes of a document's node, without its tokens."""
_RULES_OF_VARIABLES: Final = frozenset(
    {NoUndefinedVariablesRule, NoUnusedVariablesRule, VariablesInAllowedPositionRule}
)
"""The rules that walk through a document by themselves, which takes half of the time of all."""
_WEIGHT_BYTES: Final = 64_000
"""Bytes of a document of weight 1: a usual one of 90 nodes and 15 planned fields."""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document and its errors of validation."""

    schema: GraphQLSchema
    parsed: DocumentNode
    errors: tuple[GraphQLError, ...]
    size: int = 0
    """The bytes of the document in memory without its plans; 0 for an invalid document."""
    _operations: dict[str | None, DocumentOperation] = field(default_factory=dict)
    """The operations by the name that requests had, None for none."""

    @property
    def weight(self) -> int:
        """Return the number of documents that it counts as in the cache; 0 for an invalid document."""
        plans = sum(operation.planned_fields for operation in self._operations.values()) * FIELD_BYTES
        return -(-(self.size + plans) // _WEIGHT_BYTES) if self.size else 0

    def operation(self, name: str | None) -> DocumentOperation | None:
        """Return the operation to execute; None if the name does not identify one."""
        operation = self._operations.get(name)
        if operation is None and (definition := self._definition(name)) is not None:
            operation = self._operations[name] = DocumentOperation(self.schema, self.parsed, definition)
        return operation

    def _definition(self, name: str | None) -> OperationDefinitionNode | None:
        definitions = operations_of(self.parsed)
        if name is not None:
            definitions = [node for node in definitions if node.name and node.name.value == name]
        return definitions[0] if len(definitions) == 1 else None


class DocumentCache:
    """The least recently used valid documents, by source; a long document counts as several.

    Invalid documents are not cached, because an error refers to its whole document.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        checker: DocumentChecker,
        *,
        size: int,
        introspection: bool,
        max_errors: int,
    ) -> None:
        self._schema = schema
        self._checker = checker
        self._rules = [*specified_rules, *([] if introspection else [NoSchemaIntrospectionCustomRule])]
        self._max_errors = max_errors
        self._documents: LRUCache[str, Document] = LRUCache(size, getsizeof=_weight_of)

    def get(self, source: str) -> Document:
        """Return the document, parsed and validated now if it is not cached.

        Raises `DocumentLimitError` for a document that is too large, and GraphQLError for a syntax error.
        """
        document = self._documents.get(source)
        if document is None:
            parsed, rules = self._parse_checked(source)
            document = self._document(source, parsed, self._validate(parsed, rules))
        return document

    async def get_in_parts(self, source: str, pause: Callable[[], Awaitable[None]]) -> Document:
        """Return the document as `get` does, with pauses between parts of some tens of milliseconds.

        Only the order of several errors may be another.
        """
        document = self._documents.get(source)
        if document is None:
            parsed, rules = self._parse_checked(source)
            await pause()
            errors = self._validate(parsed, [rule for rule in rules if rule in _RULES_OF_VARIABLES])
            await pause()
            errors += self._validate(parsed, [rule for rule in rules if rule not in _RULES_OF_VARIABLES])
            await pause()
            document = self._document(source, parsed, errors[: self._max_errors + 1])
            await pause()
        return document

    def planned(
        self, source: str, operation: DocumentOperation, variables: Mapping[str, Any]
    ) -> PlannedQuery | None:
        """Return the plan of an operation of a valid document, which counts with all of its plans."""
        fields = operation.planned_fields
        planned = operation.planned(variables)
        if operation.planned_fields > fields:
            # A larger document may take the place of others, or none.
            document = self._documents.pop(source, None)
            if document is not None:
                self._add(source, document)
        return planned

    def _add(self, source: str, document: Document) -> None:
        if 0 < document.weight <= self._documents.maxsize:
            self._documents[source] = document

    def _parse_checked(self, source: str) -> tuple[DocumentNode, Sequence[type[ASTValidationRule]]]:
        """Return a document within the limits, and the rules to validate it by."""
        self._checker.check_source(source)
        parsed = self._parse(source)
        return parsed, self._rules if self._checker.check(parsed) else EXPANSION_RULES

    def _validate(self, parsed: DocumentNode, rules: Sequence[type[ASTValidationRule]]) -> list[GraphQLError]:
        return validate(self._schema, parsed, rules, self._max_errors)

    def _document(self, source: str, parsed: DocumentNode, errors: Sequence[GraphQLError]) -> Document:
        size = 0 if errors else discard_tokens(parsed) * _NODE_BYTES + len(source)
        document = Document(self._schema, parsed, tuple(errors), size)
        self._add(source, document)
        return document

    def _parse(self, source: str) -> DocumentNode:
        max_tokens = self._checker.limits.max_tokens
        try:
            return parse(source, max_tokens=max_tokens)
        except RecursionError:
            raise self._checker.too_deep() from None
        except GraphQLError as error:
            if "nested too deeply" in error.message:
                raise self._checker.too_deep() from None
            if error.message.endswith("tokens. Parsing aborted."):
                message = f"The document has more than {max_tokens} tokens (GQL_MAX_TOKENS)."
                raise DocumentLimitError(message) from None
            raise


def _weight_of(document: Document) -> int:
    return document.weight
