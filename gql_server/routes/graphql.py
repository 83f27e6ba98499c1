"""`/graphql`, by the GraphQL-over-HTTP specification."""

from functools import partial
from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gql_server.auth.caller import Caller, authenticated_caller
from gql_server.cache.cache_control import parse_cache_control
from gql_server.cache.response_cache import CachedResponse, ResponseCache, response_key
from gql_server.config.limits import Limits
from gql_server.http.disconnect import has_disconnected, while_connected
from gql_server.http.error_codes import ErrorCode
from gql_server.http.graphql_request import GraphQLRequest, parse_request, read_content
from gql_server.http.negotiation import negotiated_type, unexecuted_status
from gql_server.http.request_error import RequestError
from gql_server.http.request_headers import request_headers
from gql_server.http.responses import json_response
from gql_server.http.streaming import send_response
from gql_server.observability.request_record import request_record
from gql_server.operations.admission import OperationAdmission
from gql_server.operations.cost_extension import with_cost
from gql_server.operations.executor import OperationExecutor, was_executed
from gql_server.operations.persisted_documents import PersistedDocuments
from gql_server.runtime.arrivals import Arrivals
from gql_server.runtime.limiter import LimiterFull
from schema.ports.errors import Unauthenticated


class GraphQLEndpoint:
    """The ASGI application behind negotiation, CSRF protection and authentication.

    It raises `RequestError` for a request that is not executed; `ErrorMiddleware` responds to it.
    """

    def __init__(
        self,
        *,
        persisted: PersistedDocuments,
        admission: OperationAdmission,
        executor: OperationExecutor,
        responses: ResponseCache,
        limits: Limits,
        writable: bool,
    ) -> None:
        self._persisted = persisted
        self._admission = admission
        self._executor = executor
        self._responses = responses
        self._limits = limits
        self._writable = writable
        self._arrivals = Arrivals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request."""
        response = await self._respond(scope, receive)
        await send_response(scope, receive, send, response, self._limits.responses.download_patience)

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        caller, record = authenticated_caller(), request_record(scope)
        content = await read_content(scope, receive, self._limits.documents.max_body_bytes)
        await self._arrive(receive)
        graphql_request = self._persisted.resolve(parse_request(scope, content))
        record.set_document(graphql_request.operation_name, graphql_request.query)

        cache_control = parse_cache_control(request_headers(scope).get("cache-control", ""))
        lookup = await self._responses.lookup(self._key(graphql_request, caller), cache_control)
        record.cached = lookup.response is not None
        if lookup.response is not None and not graphql_request.include_cost:
            # The document is valid, because only responses to valid documents are cached.
            self._persisted.remember(graphql_request)
            return _http_response(scope, caller, lookup.response)

        # Another cache than one in memory has taken some time.
        _check_connection(receive)
        operation = self._admission.admit(graphql_request)
        # Recorded before the check of the permission, so that the access log names a refused mutation.
        record.set_operation(operation.kind, operation.name, operation.cost)
        operation.check_permission(scope["method"], caller)

        compute = partial(self._executor.execute, operation, caller, cache_control)
        if operation.is_query:
            response = await while_connected(receive, self._responses.get_or_compute(lookup, compute))
        else:
            # Not cancelled when the client disconnects, which would leave a part of the changes applied.
            response = (await compute()).as_new()
        if graphql_request.include_cost:
            body = with_cost(response.body, operation.cost, self._limits.documents.max_cost)
            response = response._replace(body=body)
        return _http_response(scope, caller, response)

    async def _arrive(self, receive: Receive) -> None:
        """Wait until the request may begin; raise `ClientDisconnect` if its client is not there any more."""
        try:
            has_waited = await self._arrivals.wait()
        except LimiterFull as full:
            message = f"{full.limit} requests wait to be processed."
            raise RequestError.unavailable(message, ErrorCode.OVERLOADED) from None
        if has_waited:
            _check_connection(receive)

    def _key(self, request: GraphQLRequest, caller: Caller) -> str:
        key = response_key(
            request.query, request.operation_name, request.variables, caller.principal, request.root_path
        )
        # `Query.server` differs between a read-only and a writable server that share a Redis.
        return f"{key}:writable" if self._writable else key


def _check_connection(receive: Receive) -> None:
    if has_disconnected(receive):
        raise ClientDisconnect


def _http_response(scope: Scope, caller: Caller, response: CachedResponse) -> Response:
    request_record(scope).codes = response.codes
    if caller.authorization is not None and ErrorCode.UNAUTHENTICATED in response.codes:
        message = "The MLflow server did not accept the caller's credentials."
        raise Unauthenticated(message)
    media_type = negotiated_type(scope)
    age = {} if response.age is None else {"age": str(int(response.age))}
    status = HTTPStatus.OK if was_executed(response.body) else unexecuted_status(media_type)
    return json_response(response.body, status, media_type, age)
