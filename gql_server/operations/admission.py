"""The checks that an operation passes before it is executed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationType

from gql_server.auth.caller import Caller
from gql_server.auth.write_permission import check_may_write
from gql_server.config.error_detail import FULL_DETAIL
from gql_server.config.settings import Settings
from gql_server.http.error_codes import ErrorCode
from gql_server.http.error_entries import document_error_entries, error_entry
from gql_server.http.graphql_request import GraphQLRequest
from gql_server.http.request_error import RequestError
from gql_server.operations.cost_extension import cost_extension
from gql_server.operations.document_cache import Document, DocumentCache
from gql_server.operations.document_checker import DocumentChecker, DocumentLimitError
from gql_server.operations.document_operation import DocumentOperation
from gql_server.operations.persisted_documents import PersistedDocuments
from schema.engine.operation_plan import PlannedQuery

_LONG_SOURCE: Final = 5000
"""Characters of a document that takes more than some milliseconds to parse, to validate and to plan."""


@dataclass(frozen=True, slots=True)
class AdmittedOperation:
    """A valid operation within the limits, with its cost."""

    request: GraphQLRequest
    document: DocumentNode
    operation: DocumentOperation
    cost: int
    planned: PlannedQuery | None
    """The plan of the operation for its variables; None if graphql-core executes it."""

    @property
    def is_query(self) -> bool:
        """Return whether the operation is a query: only the responses to queries are cached."""
        return self.operation.is_query

    @property
    def is_subscription(self) -> bool:
        """Return whether the operation is a subscription, which has many results."""
        return self.operation.kind == OperationType.SUBSCRIPTION.value

    @property
    def is_mutation(self) -> bool:
        """Return whether the operation is a mutation: it is neither cancelled nor executed again."""
        return self.operation.is_mutation

    @property
    def kind(self) -> str:
        """Return `query`, `mutation` or `subscription`."""
        return self.operation.kind

    @property
    def name(self) -> str:
        """Return the operation's name in the document; an empty string if it has none."""
        return self.operation.name

    def check_permission(self, caller: Caller) -> None:
        """Raise `RequestError` for a mutation over GET, or by a caller who may not write."""
        if not self.is_mutation:
            return
        if self.request.is_safe:
            message = "A GET executes queries only; send this operation by POST."
            status = HTTPStatus.METHOD_NOT_ALLOWED
            raise RequestError.from_message(message, ErrorCode.BAD_USER_INPUT, status, allow="POST")
        check_may_write(caller)


class OperationAdmission:
    """Checks the document and the operation of each request, in time linear in their size."""

    def __init__(self, schema: GraphQLSchema, settings: Settings, persisted: PersistedDocuments) -> None:
        self._limits = settings.limits.documents
        self._checker = DocumentChecker(self._limits)
        self._documents = DocumentCache(
            schema,
            self._checker,
            size=self._limits.document_cache_size,
            introspection=settings.introspection,
            max_errors=settings.limits.responses.max_errors,
        )
        self._persisted = persisted
        self._error_detail = settings.error_detail
        self._explain_read_only = settings.introspection and not settings.writable

    async def admit(self, request: GraphQLRequest, pause: Callable[[], Awaitable[None]]) -> AdmittedOperation:
        """Return the operation of a request; raise `RequestError` if it must not be executed.

        The checks are, in this order: the limits of the document, its validation, the operation's name, the
        values of the arguments, and the cost. `pause` is awaited between the parts of a long document, of
        which each takes some tens of milliseconds.
        """
        document = await self._parsed(request.query, pause)
        operation = document.operation(request.operation_name)
        if self._explain_read_only:
            _check_not_mutation(operation)
        if document.errors:
            code = ErrorCode.VALIDATION_FAILED
            raise RequestError(document_error_entries(document.errors, code, self._error_detail))
        self._persisted.remember(request)
        if operation is None:
            raise _no_operation(request.operation_name)
        try:
            self._checker.check_values(operation.values(request.variables), operation.definition)
        except DocumentLimitError as error:
            entries = document_error_entries([error], ErrorCode.LIMIT_EXCEEDED, FULL_DETAIL)
            raise RequestError(entries) from None
        cost = operation.cost(request.variables)
        self._check_cost(cost)
        planned = self._documents.planned(request.query, operation, request.variables)
        return AdmittedOperation(request, document.parsed, operation, cost, planned)

    async def _parsed(self, source: str, pause: Callable[[], Awaitable[None]]) -> Document:
        try:
            if len(source) < _LONG_SOURCE:
                return self._documents.get(source)
            return await self._documents.get_in_parts(source, pause)
        except GraphQLError as error:
            # A syntax error, or an exceeded limit, reveals nothing of the schema.
            is_limit = isinstance(error, DocumentLimitError)
            code = ErrorCode.LIMIT_EXCEEDED if is_limit else ErrorCode.PARSE_FAILED
            raise RequestError(document_error_entries([error], code, FULL_DETAIL)) from None

    def _check_cost(self, cost: int) -> None:
        max_cost = self._limits.max_cost
        if cost > max_cost:
            message = (
                f"The operation costs {cost}, more than {max_cost} (GQL_MAX_COST): request smaller pages."
            )
            entry = error_entry(message, ErrorCode.LIMIT_EXCEEDED)
            entry["extensions"] |= cost_extension(cost, max_cost)
            raise RequestError([entry])


def _check_not_mutation(operation: DocumentOperation | None) -> None:
    """Raise `RequestError` for a mutation on a read-only server.

    The errors of validation would be about unknown types instead of the setting that adds them.
    """
    if operation is not None and operation.definition.operation is OperationType.MUTATION:
        message = "The server is read-only; start it with --writable (GQL_WRITABLE=true) for mutations."
        raise RequestError.from_message(message, ErrorCode.VALIDATION_FAILED)


def _no_operation(name: str | None) -> RequestError:
    message = (
        "The document has no operation, or has several and the request has no operationName."
        if name is None
        else "The document has no operation of the name in operationName."
    )
    return RequestError.from_message(message, ErrorCode.BAD_USER_INPUT)
