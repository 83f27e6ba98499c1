"""`/graphql`, by the GraphQL-over-HTTP specification."""

from functools import partial
from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gql_server.auth.caller import Caller, authenticated_caller
from gql_server.cache.cache_control import parse_cache_control
from gql_server.cache.response_cache import CachedResponse
from gql_server.config.limits import Limits
from gql_server.http.disconnect import has_disconnected, while_connected
from gql_server.http.error_codes import ErrorCode
from gql_server.http.graphql_request import GraphQLRequest, parse_request, read_content
from gql_server.http.negotiation import StreamUse, negotiated_type, stream_use, unexecuted_status
from gql_server.http.request_error import RequestError
from gql_server.http.request_headers import request_headers
from gql_server.http.responses import json_response
from gql_server.http.streaming import send_response
from gql_server.live.event_stream import EventStreams
from gql_server.observability.request_record import request_record
from gql_server.operations.executor import was_executed
from gql_server.operations.request_executor import RequestExecutor
from gql_server.runtime.arrivals import Arrivals
from gql_server.runtime.limiter import LimiterFull
from schema.ports.errors import Unauthenticated


class GraphQLEndpoint:
    """The ASGI application behind negotiation, CSRF protection and authentication.

    It raises `RequestError` for a request that is not executed; `ErrorMiddleware` responds to it.
    """

    def __init__(self, requests: RequestExecutor, streams: EventStreams, limits: Limits) -> None:
        self._requests = requests
        self._streams = streams
        self._limits = limits
        self._arrivals = Arrivals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request."""
        content = await read_content(scope, receive, self._limits.documents.max_body_bytes)
        await self._arrive(receive)
        request, caller = parse_request(scope, content), authenticated_caller()
        use = _stream_use(scope)
        response = None
        if use is not StreamUse.ALWAYS:
            response = await self._respond(scope, receive, request, caller)
        if response is not None:
            await send_response(scope, receive, send, response, self._limits.responses.download_patience)
        elif use is StreamUse.NEVER:
            raise _not_acceptable()
        else:
            await self._streams.respond(scope, receive, send, request, caller)

    async def _respond(
        self, scope: Scope, receive: Receive, request: GraphQLRequest, caller: Caller
    ) -> Response | None:
        """Return the response to a query or a mutation; None for a subscription."""
        record = request_record(scope)
        cache_control = parse_cache_control(request_headers(scope).get("cache-control", ""))
        lookup = await self._requests.look_up(request, caller, cache_control, record)
        if lookup.response is not None:
            return _http_response(scope, caller, lookup.response)
        # Another cache than one in memory has taken some time.
        _check_connection(receive)
        operation = await self._requests.admit(lookup, caller, record, partial(_check_connection, receive))
        if operation.is_subscription:
            return None
        execution = self._requests.execute(lookup, operation, caller)
        # A mutation is not cancelled when the client disconnects, which would leave a part of it applied.
        response = await (while_connected(receive, execution) if operation.is_query else execution)
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


def _stream_use(scope: Scope) -> StreamUse:
    return (
        StreamUse.NEVER if scope["method"] == "HEAD" else stream_use(request_headers(scope).get("accept", ""))
    )


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


def _not_acceptable() -> RequestError:
    message = "A subscription needs Accept: text/event-stream, or a WebSocket."
    return RequestError.from_message(message, ErrorCode.BAD_USER_INPUT, HTTPStatus.NOT_ACCEPTABLE)
