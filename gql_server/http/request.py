"""Reading a GraphQL request, as the GraphQL-over-HTTP specification has it."""

from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import Any

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import Request


class BadRequest(Exception):
    """The request cannot be read as GraphQL; answered with `status` and the message."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of a request; `query` is the document's source."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None


async def read_request(request: Request, max_body_bytes: int) -> GraphQLRequest:
    """Return the parameters of a GET or POST request; BadRequest where they are not as they should be."""
    if request.method == "GET":
        return _from_query(request.query_params)
    _check_content_type(request.headers.get("content-type", ""))
    return _from_object(_loads(await _body(request, max_body_bytes), "The body"))


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            message = f"The body is larger than {most} bytes (GQL_MAX_BODY_BYTES)."
            raise BadRequest(message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return bytes(body)


def _check_content_type(value: str) -> None:
    header = Message()
    header["content-type"] = value
    charset = str(header.get_param("charset", "utf-8")).lower()
    if header.get_content_type() != "application/json" or not value or charset not in ("utf-8", "utf8"):
        message = "The body must be application/json in UTF-8."
        raise BadRequest(message, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def _from_query(parameters: QueryParams) -> GraphQLRequest:
    return _from_object(
        {
            "query": parameters.get("query"),
            "operationName": parameters.get("operationName") or None,
            "variables": _parameter(parameters, "variables"),
            "extensions": _parameter(parameters, "extensions"),
        }
    )


def _parameter(parameters: QueryParams, name: str) -> Any:
    text = parameters.get(name)
    return _loads(text.encode(), name) if text else None


def _loads(text: bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        message = f"{what} is not JSON."
        raise BadRequest(message) from None


def _from_object(content: Any) -> GraphQLRequest:
    if not isinstance(content, dict):
        message = "The body must be a JSON object; batches are not served."
        raise BadRequest(message)
    query = content.get("query")
    if not isinstance(query, str) or not query.strip():
        message = "The request has no query."
        raise BadRequest(message)
    for name in ("variables", "extensions"):
        if not isinstance(content.get(name), dict | None):
            message = f"{name} must be an object."
            raise BadRequest(message)
    operation_name = content.get("operationName")
    if not isinstance(operation_name, str | None):
        message = "operationName must be a string."
        raise BadRequest(message)
    return GraphQLRequest(query, content.get("variables") or {}, operation_name)
