"""Documents: parsed and validated once, kept while they are asked again."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)

from gql_server.operations.argument_metrics import VariableUses, count_values, variable_uses
from gql_server.operations.cost import CostCalculator
from gql_server.operations.document_limits import FORM, DocumentLimitError, DocumentLimits
from gql_server.operations.document_metrics import operations_of
from gql_server.operations.document_tokens import without_tokens

_NODE = 330
"""Bytes that a node of a document takes, without its tokens."""
_AS_ONE = 64_000
"""Bytes of a document that counts as one: 190 nodes, twice what is usual."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document and what is wrong with it; `parsed` is None where it is no GraphQL, or too large to read."""

    parsed: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    weight: int = 0
    """What it counts as among the documents that are kept; 0 for one that is not."""
    _costs: dict[str, int] = field(default_factory=dict)
    """Of the operations without variables, by name."""
    _reads: dict[str, VariableUses] = field(default_factory=dict)
    """Of each operation that ran, by name."""

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """Return the operation that would run; None where the name does not tell which."""
        operations = operations_of(self.parsed) if self.parsed else []
        if name is not None:
            operations = [node for node in operations if node.name and node.name.value == name]
        return operations[0] if len(operations) == 1 else None

    def cost(
        self, costs: CostCalculator, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> int:
        """Return what an operation of this document costs with these variables."""
        if self.parsed is None:
            return 0
        name = operation.name.value if operation.name else ""
        known = self._costs.get(name)
        if known is None:
            known = costs.of(self.parsed, operation, variables)
            if not operation.variable_definitions:
                self._costs[name] = known
        return known

    def values(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
        """Return how many values the arguments of an operation of this document hold."""
        if self.parsed is None:
            return 0
        name = operation.name.value if operation.name else ""
        if name not in self._reads:
            self._reads[name] = variable_uses(self.parsed, operation)
        return count_values(self._reads[name], operation, variables)


class DocumentCache:
    """The valid documents asked last, by source; `size` of them, where a long one counts as several.

    Of those that are refused nothing is kept: an error holds the whole document.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        size: int,
        bounds: DocumentLimits,
        introspection: bool = True,
        most_errors: int = 100,
    ) -> None:
        self._schema = schema
        self._rules = [*specified_rules, *([] if introspection else [NoSchemaIntrospectionCustomRule])]
        self._size = size
        self._bounds = bounds
        self._most_errors = most_errors
        self._known: OrderedDict[str, Document] = OrderedDict()
        self._room = size

    def get(self, source: str) -> Document:
        """Return the document, from memory if it was asked before and is valid."""
        known = self._known.get(source)
        if known is not None:
            self._known.move_to_end(source)
            return known
        document = self._read(source)
        if document.weight:
            self._keep(source, document)
        return document

    def _keep(self, source: str, document: Document) -> None:
        self._known[source] = document
        self._room -= document.weight
        while self._room < 0:
            self._room += self._known.popitem(last=False)[1].weight

    def _read(self, source: str) -> Document:
        try:
            self._bounds.check_source(source)
            parsed = _parsed(source, self._bounds)
            spreads = self._bounds.check(parsed)
        except GraphQLError as error:
            return Document(None, (error,))
        rules = self._rules if spreads else FORM
        errors = tuple(validate(self._schema, parsed, rules, self._most_errors))
        size = 0 if errors else without_tokens(parsed) * _NODE + len(source)
        return Document(parsed, errors, weight=-(-size // _AS_ONE))


def _parsed(source: str, bounds: DocumentLimits) -> DocumentNode:
    try:
        return parse(source, max_tokens=bounds.max_tokens)
    except RecursionError:
        raise bounds.too_deep() from None
    except GraphQLError as error:
        if "nested too deeply" in error.message:
            raise bounds.too_deep() from None
        if error.message.endswith("tokens. Parsing aborted."):
            message = f"The document has more than {bounds.max_tokens} tokens (GQL_MAX_TOKENS)."
            raise DocumentLimitError(message) from None
        raise
