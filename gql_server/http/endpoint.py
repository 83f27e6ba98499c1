"""`/graphql`: from HTTP through the graph and back, by the GraphQL-over-HTTP specification."""

import asyncio
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from gql_server.cache.answers import Answer
from gql_server.cache.freshness import freshness
from gql_server.http.documents import Document, Documents
from gql_server.http.errors import (
    BAD_USER_INPUT,
    PARSE_FAILED,
    VALIDATION_FAILED,
    coded,
    plain_error,
)
from gql_server.http.negotiation import GRAPHQL_RESPONSE, JSON, prefers_page, response_type
from gql_server.http.request import BadRequest, GraphQLRequest, read_request
from gql_server.http.runner import Runner, ran
from gql_server.settings import Settings

_CLIENT_LEFT = 499
"""nginx's status for a client that did not wait; nobody reads it but the access log."""


class GraphQLEndpoint:
    """Answers GraphQL requests; one for each application."""

    def __init__(self, runner: Runner, settings: Settings, page: str | None) -> None:
        self._runner = runner
        self._settings = settings
        self._page = page
        self._documents = Documents(
            runner.schema, size=settings.document_cache_size, max_tokens=settings.max_tokens
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a GET or POST request, as an ASGI application."""
        response = await self._respond_to(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond_to(self, request: Request) -> Response:
        accept = request.headers.get("accept", "")
        if (
            request.method == "GET"
            and self._page
            and "query" not in request.query_params
            and prefers_page(accept)
        ):
            return HTMLResponse(self._page)
        media_type = response_type(accept)
        if media_type is None:
            text = f"Answers are {GRAPHQL_RESPONSE} or {JSON}."
            return _error(JSON, HTTPStatus.NOT_ACCEPTABLE, text)
        try:
            asked = await read_request(request, self._settings.max_body_bytes)
        except BadRequest as error:
            return _error(media_type, error.status, str(error))
        except ClientDisconnect:
            return Response(status_code=_CLIENT_LEFT)
        return await self._answer(request, asked, media_type)

    async def _answer(self, request: Request, asked: GraphQLRequest, media_type: str) -> Response:
        look = await self._runner.look(asked, freshness(request.headers.get("cache-control", "")))
        if look.answer is not None:
            return _respond(media_type, look.answer)
        document = self._documents.get(asked.query)
        refusal = _refuse(document, asked)
        if refusal or document.parsed is None:
            return _refused(media_type, refusal)
        if (
            document.operation_type(asked.operation_name) is not OperationType.QUERY
            and request.method == "GET"
        ):
            text = "Over GET only queries run; send this by POST."
            return _error(media_type, HTTPStatus.METHOD_NOT_ALLOWED, text, allow="POST")
        answer = await _while_connected(request, self._runner.run(look, document.parsed, asked))
        return Response(status_code=_CLIENT_LEFT) if answer is None else _respond(media_type, answer)


def _refuse(document: Document, asked: GraphQLRequest) -> list[dict[str, Any]]:
    if document.parsed is None:
        return coded(document.errors, PARSE_FAILED)
    if document.errors:
        return coded(document.errors, VALIDATION_FAILED)
    if document.operation_type(asked.operation_name) is None:
        text = (
            "The document has no operation, or several and operationName names none of them."
            if asked.operation_name is None
            else "The document has no operation with the name in operationName."
        )
        return [plain_error(text, BAD_USER_INPUT)]
    return []


def _respond(media_type: str, answer: Answer) -> Response:
    age = {} if answer.age is None else {"age": str(int(answer.age))}
    done = ran(answer.body) or media_type != GRAPHQL_RESPONSE
    status = HTTPStatus.OK if done else HTTPStatus.BAD_REQUEST
    return Response(answer.body, status, age, media_type=f"{media_type}; charset=utf-8")


def _refused(media_type: str, errors: list[dict[str, Any]]) -> Response:
    return _respond(media_type, Answer(orjson.dumps({"errors": errors}), None))


def _error(media_type: str, status: HTTPStatus, text: str, **headers: str) -> Response:
    body = orjson.dumps({"errors": [plain_error(text, BAD_USER_INPUT)]})
    return Response(body, status, headers, media_type=f"{media_type}; charset=utf-8")


async def _while_connected(request: Request, work: Coroutine[Any, Any, Answer]) -> Answer | None:
    """Return what the work returns; None where the client leaves first, and then the work is cancelled."""
    answer = asyncio.ensure_future(work)
    left = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({answer, left}, return_when=asyncio.FIRST_COMPLETED)
        return await answer if answer.done() else None
    finally:
        for task in (answer, left):
            task.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
