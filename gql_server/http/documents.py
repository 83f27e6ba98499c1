"""Documents: parsed and validated once, kept while they are asked again."""

from collections import OrderedDict
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    parse,
    validate,
)


@dataclass(frozen=True, slots=True)
class Document:
    """A document and what is wrong with it; `parsed` is None where it is no GraphQL at all."""

    parsed: DocumentNode | None
    errors: tuple[GraphQLError, ...]

    def operation_type(self, name: str | None) -> OperationType | None:
        """Return the type of the operation that would run; None where the name does not tell which."""
        definitions = self.parsed.definitions if self.parsed else ()
        operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
        if name is not None:
            operations = [node for node in operations if node.name and node.name.value == name]
        return operations[0].operation if len(operations) == 1 else None


class Documents:
    """The documents asked last, by source. Sources are bounded by the size of a request's body."""

    def __init__(self, schema: GraphQLSchema, *, size: int, max_tokens: int) -> None:
        self._schema = schema
        self._size = size
        self._max_tokens = max_tokens
        self._known: OrderedDict[str, Document] = OrderedDict()

    def get(self, source: str) -> Document:
        """Return the document, from memory if it was asked before."""
        known = self._known.pop(source, None) or self._read(source)
        self._known[source] = known
        if len(self._known) > self._size:
            self._known.popitem(last=False)
        return known

    def _read(self, source: str) -> Document:
        try:
            parsed = parse(source, max_tokens=self._max_tokens)
        except GraphQLError as error:
            return Document(None, (error,))
        return Document(parsed, tuple(validate(self._schema, parsed)))
