"""The interface between the transports of subscriptions and what executes the operations."""

from collections.abc import AsyncGenerator
from typing import Protocol

from gql_server.auth.caller import Caller
from gql_server.http.graphql_request import GraphQLRequest
from gql_server.observability.request_record import RequestRecord


class OperationEvents(Protocol):
    """The results of operations, one after the other."""

    def events(
        self, request: GraphQLRequest, caller: Caller, record: RequestRecord
    ) -> AsyncGenerator[bytes, None]:
        """Yield each execution result of an operation as encoded JSON, `{"data": ...}` or `{"errors": ...}`.

        A query or a mutation has one, a subscription has many. The generator ends when the operation is
        complete. It runs in the context of the caller, `current_caller` and `current_client` included, and a
        transport closes or cancels it when its client leaves. It notes in the record what is known of the
        operation.

        Raises `RequestError` or `PublicError` before the first result for a document that is not executed,
        and later if a subscription has to end, as when the server stops. Raises `Unauthenticated` if the
        MLflow server rejects the caller's own credentials.
        """
        ...
