"""`/graphql`: from HTTP through the graph and back, by the GraphQL-over-HTTP specification."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from http import HTTPStatus
from typing import Any, TypeAlias

import orjson
from graphql import DocumentNode, OperationDefinitionNode, OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gql_server.auth.authenticator import Authenticator
from gql_server.auth.caller import Caller, current
from gql_server.auth.rate_limit import RateLimiter
from gql_server.cache.cache_control import parse_cache_control
from gql_server.cache.response_cache import CachedResponse
from gql_server.config.error_detail import FULL_DETAIL
from gql_server.config.settings import Settings
from gql_server.http.csrf import crosses
from gql_server.http.error_codes import ErrorCode
from gql_server.http.errors import document_error_entries, error_entry
from gql_server.http.graphql_request import GraphQLRequest, read_request
from gql_server.http.negotiation import GRAPHQL_RESPONSE, JSON, prefers_page, response_type
from gql_server.http.request_error import RequestError
from gql_server.http.responses import CLIENT_CLOSED_REQUEST, error_response, finalize, json_response
from gql_server.http.streaming import in_pieces, patient
from gql_server.observability.metrics import Metrics
from gql_server.observability.request_record import request_record
from gql_server.operations.cost import CostCalculator
from gql_server.operations.document_cache import Document, DocumentCache
from gql_server.operations.document_limits import DocumentLimitError, DocumentLimits
from gql_server.operations.execute import OperationExecutor, ran
from gql_server.operations.persisted_documents import PersistedDocuments
from schema.ports.errors import PublicError, Unauthenticated

_METHODS = "GET, HEAD, POST, OPTIONS"

_log = logging.getLogger(__name__)

Prove: TypeAlias = Callable[[], Awaitable[None]]


class GraphQLEndpoint:
    """Answers GraphQL requests; one for each application."""

    def __init__(
        self,
        runner: OperationExecutor,
        settings: Settings,
        page: Callable[[], Response] | None,
        door: Authenticator,
        rates: RateLimiter | None,
    ) -> None:
        self._runner = runner
        self._settings = settings
        self._page = page
        self._bounds = DocumentLimits.of(settings)
        self._documents = DocumentCache(
            runner.schema,
            size=settings.document_cache_size,
            bounds=self._bounds,
            introspection=settings.introspection,
            most_errors=settings.max_errors,
        )
        self._sources = PersistedDocuments.of(settings)
        self._rates = rates
        self._costs = CostCalculator(runner.schema)
        self._origins = settings.origins
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as an ASGI application."""
        request = Request(scope, receive)
        response = await finalize(request, await self._respond_to(request))
        try:
            await response(scope, receive, in_pieces(patient(send, self._settings.download_patience)))
        except TimeoutError:
            _log.warning("a client did not take its answer within the time (GQL_DOWNLOAD_PATIENCE)")

    def show(self, metrics: Metrics, prove: Prove | None) -> Callable[[Request], Awaitable[Response]]:
        """Return an endpoint that shows metrics to whoever may ask here.

        `prove` returns where the store knows who asks, if it is the store alone that can tell.
        """

        async def endpoint(request: Request) -> Response:
            try:
                if prove is None:
                    await self._door.let_in(request.headers)
                else:
                    await self._prove(request, prove)
            except RequestError as refusal:
                return error_response(refusal)
            except PublicError as fault:
                return error_response(fault)
            body, media_type = metrics.render()
            return Response(body, media_type=media_type)

        return endpoint

    async def _respond_to(self, request: Request) -> Response:
        if self._asks_for_page(request) and self._page:
            # With a query, too: a link to the page carries one, and the page shows it before it runs.
            return await asyncio.to_thread(self._page)
        media_type = response_type(request.headers.get("accept", ""))
        try:
            return await self._reply(request, media_type)
        except RequestError as refusal:
            request_record(request.scope).codes = refusal.codes
            media_type = media_type or JSON
            return error_response(refusal, media_type=media_type)
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except Exception as error:  # noqa: BLE001 - logged with an id, which is what the client gets
            request_record(request.scope).codes = (ErrorCode.INTERNAL_SERVER_ERROR,)
            return error_response(error, media_type=media_type or JSON)

    def _asks_for_page(self, request: Request) -> bool:
        return request.method in {"GET", "HEAD"} and prefers_page(request.headers.get("accept", ""))

    async def _reply(self, request: Request, media_type: str | None) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"allow": _METHODS})
        if request.method not in _METHODS.split(", "):
            text = f"The methods are {_METHODS}."
            raise RequestError.from_message(
                text, ErrorCode.BAD_USER_INPUT, HTTPStatus.METHOD_NOT_ALLOWED, allow=_METHODS
            )
        if media_type is None:
            text = f"Answers are {GRAPHQL_RESPONSE} or {JSON}."
            raise RequestError.from_message(text, ErrorCode.BAD_USER_INPUT, HTTPStatus.NOT_ACCEPTABLE)
        self._check_crossing(request)
        note = request_record(request.scope)
        caller = await self._let_in(request)
        note.set_caller(caller.name)
        asked = self._sources.find(await read_request(request, self._settings.max_body_bytes))
        asked = replace(asked, base=request.scope.get("root_path", ""))
        note.set_document(asked.operation_name, asked.query)
        answer = await self._answer(request, asked, caller)
        note.codes = answer.codes
        if caller.authorization is not None and ErrorCode.UNAUTHENTICATED in answer.codes:
            # The credentials came from here, so here is where better ones are asked for.
            await self._door.refuse()
        return _respond(media_type, answer)

    def _check_crossing(self, request: Request) -> None:
        must_ask = self._settings.get_needs_header and request.method != "POST"
        why = crosses(request.headers, self._origins, must_ask=must_ask)
        if why is not None:
            raise RequestError.from_message(why, ErrorCode.FORBIDDEN, HTTPStatus.FORBIDDEN)

    async def _let_in(self, request: Request) -> Caller:
        caller = await self._door.let_in(request.headers)
        if self._rates is not None:
            await self._rates.count(caller, request.client.host if request.client else "")
        return caller

    async def _prove(self, request: Request, prove: Prove) -> None:
        current.set(await self._let_in(request))
        try:
            await prove()
        except Unauthenticated:
            await self._door.refuse()

    async def _answer(self, request: Request, asked: GraphQLRequest, caller: Caller) -> CachedResponse:
        use = parse_cache_control(request.headers.get("cache-control", ""))
        look = await self._runner.look(asked, use, caller)
        note = request_record(request.scope)
        note.cached = look.response is not None
        if look.response is not None and not asked.shows_cost:
            # Only valid documents have answers that are kept.
            self._sources.keep(asked)
            return look.response
        parsed, operation, note.cost = self._understand(asked)
        note.kind = operation.operation.value
        note.operation = note.operation or (operation.name.value[:100] if operation.name else "")
        if operation.operation is not OperationType.QUERY and request.method != "POST":
            text = "Over GET only queries run; send this by POST."
            raise RequestError.from_message(
                text, ErrorCode.BAD_USER_INPUT, HTTPStatus.METHOD_NOT_ALLOWED, allow="POST"
            )
        if operation.operation is OperationType.MUTATION and not caller.may_write:
            text = "These credentials are for reading alone."
            raise RequestError.from_message(text, ErrorCode.FORBIDDEN, HTTPStatus.FORBIDDEN)
        if operation.operation is not OperationType.QUERY:
            # It goes on where the client leaves: what is half done would tell nobody what was done.
            answer = await self._runner.change(parsed, asked, caller)
        else:
            answer = look.response or await _while_connected(
                request, self._runner.run(look, parsed, asked, caller)
            )
        return _with_cost(answer, note.cost, self._settings.max_cost) if asked.shows_cost else answer

    def _understand(self, asked: GraphQLRequest) -> tuple[DocumentNode, OperationDefinitionNode, int]:
        """Return the document, the operation that is to run and its cost; raise Refusal where none may."""
        document = self._documents.get(asked.query)
        self._check_reads(document, asked.operation_name)
        self._check(document)
        self._sources.keep(asked)
        operation = document.operation(asked.operation_name)
        if operation is None or document.parsed is None:
            text = (
                "The document has no operation, or several and operationName names none of them."
                if asked.operation_name is None
                else "The document has no operation with the name in operationName."
            )
            raise RequestError.from_message(text, ErrorCode.BAD_USER_INPUT)
        try:
            self._bounds.check_values(document.values(operation, asked.variables), operation)
        except DocumentLimitError as passed:
            raise RequestError(
                document_error_entries([passed], ErrorCode.LIMIT_EXCEEDED, FULL_DETAIL)
            ) from None
        cost, most = document.cost(self._costs, operation, asked.variables), self._settings.max_cost
        if cost > most:
            text = f"This asks for up to {cost} objects, more than {most} (GQL_MAX_COST): take smaller pages."
            error = error_entry(text, ErrorCode.LIMIT_EXCEEDED)
            error["extensions"] |= _shown(cost, most)
            raise RequestError([error])
        return document.parsed, operation, cost

    def _check_reads(self, document: Document, name: str | None) -> None:
        if self._settings.writable or not self._settings.introspection:
            return
        operation = document.operation(name)
        if operation is None or operation.operation is not OperationType.MUTATION:
            return
        # Validation would speak of types that are not there, and not of the setting that brings them.
        text = "This server only reads: it has mutations when started with --writable (GQL_WRITABLE=true)."
        raise RequestError.from_message(text, ErrorCode.VALIDATION_FAILED)

    def _check(self, document: Document) -> None:
        if document.parsed is None:
            # What is no GraphQL, or too much of it, says nothing of the schema.
            passed = isinstance(document.errors[0], DocumentLimitError)
            raise RequestError(
                document_error_entries(
                    document.errors,
                    ErrorCode.LIMIT_EXCEEDED if passed else ErrorCode.PARSE_FAILED,
                    FULL_DETAIL,
                )
            )
        if document.errors:
            raise RequestError(
                document_error_entries(
                    document.errors, ErrorCode.VALIDATION_FAILED, self._settings.error_detail
                )
            )


def _shown(cost: int, most: int) -> dict[str, Any]:
    return {"cost": {"requested": cost, "maximum": most}}


def _with_cost(answer: CachedResponse, cost: int, most: int) -> CachedResponse:
    shown = orjson.dumps({"extensions": _shown(cost, most)})
    return answer._replace(body=bytes(answer.body[:-1]) + b"," + shown[1:])


def _respond(media_type: str, answer: CachedResponse) -> Response:
    age = {} if answer.age is None else {"age": str(int(answer.age))}
    done = ran(answer.body) or media_type != GRAPHQL_RESPONSE
    return json_response(answer.body, HTTPStatus.OK if done else HTTPStatus.BAD_REQUEST, media_type, age)


async def _while_connected(request: Request, work: Coroutine[Any, Any, CachedResponse]) -> CachedResponse:
    """Return what the work returns; where the client leaves first, cancel it and raise ClientDisconnect."""
    answer = asyncio.ensure_future(work)
    left = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({answer, left}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise ClientDisconnect
        return await answer
    finally:
        for task in (answer, left):
            task.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
