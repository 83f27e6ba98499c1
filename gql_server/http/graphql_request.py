"""Reading a GraphQL request, as the GraphQL-over-HTTP specification has it."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import Request

from gql_server.http.error_codes import ErrorCode
from gql_server.http.errors import error_entry
from gql_server.http.request_error import RequestError

_HASH = re.compile(r"[0-9a-f]{64}")
_DEEPEST = 100
"""Levels of variables: far more than any input of the graph has, and fewer than orjson writes."""
_UTF_8 = frozenset({"utf-8", "utf8"})
# Python's registry of codecs would keep each name that it is asked for, known or not, for good.
_CHARSETS = _UTF_8 | {
    *("ascii", "us-ascii", "iso-8859-1", "iso-8859-15", "latin-1", "latin1", "windows-1252", "cp1252"),
    *("utf-7", "utf-8-sig", "utf-16", "utf-16be", "utf-16le", "utf-32", "utf-32be", "utf-32le"),
    *("big5", "euc-jp", "euc-kr", "gb18030", "gb2312", "gbk", "iso-2022-jp", "koi8-r", "shift_jis"),
}
"""Names of charsets that clients may send: one of these is not served, any other is not known."""


class BadRequest(RequestError):
    """The request cannot be read as GraphQL; answered with `status` and the message."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__([error_entry(message, ErrorCode.BAD_USER_INPUT)], status)


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of a request; `query` is the document's source."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None
    document_id: str | None = None
    """The SHA-256 of the document; then `query` may be empty."""
    shows_cost: bool = False
    """Whether the answer is to say what the operation costs: `extensions: {"cost": true}`."""
    base: str = ""
    """The path that the request's own is under: part of the links in its answer."""


async def read_request(request: Request, max_body_bytes: int) -> GraphQLRequest:
    """Return the parameters of a GET or POST request; BadRequest where they are not as they should be."""
    if request.method != "POST":
        _check_length(request.scope["query_string"], max_body_bytes)
        return _from_query(request.query_params)
    _check_content_type(request.headers.get("content-type", ""))
    return _from_object(_loads(await _body(request, max_body_bytes), "The body"))


def _check_length(query: bytes, most: int) -> None:
    if len(query) > most:
        message = f"The address is longer than {most} bytes (GQL_MAX_BODY_BYTES)."
        raise BadRequest(message, HTTPStatus.REQUEST_URI_TOO_LONG)


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            message = f"The body is larger than {most} bytes (GQL_MAX_BODY_BYTES)."
            raise BadRequest(message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return bytes(body)


def _check_content_type(value: str) -> None:
    # Not by email.message: it joins parameters that come in parts (RFC 2231), and some parts make it raise.
    media_type, *parameters = (part.strip().lower() for part in value.split(";"))
    charsets = (part.removeprefix("charset=") for part in parameters if part.startswith("charset="))
    charset = next(charsets, "utf-8").strip('"')
    if charset not in _CHARSETS:
        message = "The charset of the body is not known."
        raise BadRequest(message)
    if media_type != "application/json" or charset not in _UTF_8:
        message = "The body must be application/json in UTF-8."
        raise BadRequest(message, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def _from_query(parameters: QueryParams) -> GraphQLRequest:
    return _from_object(
        {
            "query": parameters.get("query"),
            "operationName": parameters.get("operationName") or None,
            "variables": _parameter(parameters, "variables"),
            "extensions": _parameter(parameters, "extensions"),
            "documentId": parameters.get("documentId"),
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
    for name in ("variables", "extensions"):
        if not isinstance(content.get(name), dict | None):
            message = f"{name} must be an object."
            raise BadRequest(message)
    operation_name = content.get("operationName")
    if not isinstance(operation_name, str | None):
        message = "operationName must be a string."
        raise BadRequest(message)
    variables = content.get("variables") or {}
    if _deep(variables):
        message = f"variables are nested more than {_DEEPEST} levels."
        raise BadRequest(message)
    extensions = content.get("extensions") or {}
    document_id = _document_id(content.get("documentId"), extensions)
    query = content.get("query")
    if query is None and document_id is not None:
        query = ""
    elif not isinstance(query, str) or not query.strip():
        message = "The request has no query."
        raise BadRequest(message)
    return GraphQLRequest(query, variables, operation_name, document_id, extensions.get("cost") is True)


def _document_id(given: Any, extensions: dict[str, Any]) -> str | None:
    """Return the hash that a request names its document by, in either of the two ways that clients have."""
    persisted = extensions.get("persistedQuery")
    if given is None and isinstance(persisted, dict):
        given = persisted.get("sha256Hash")
    if given is None:
        return None
    text = given.removeprefix("sha256:").lower() if isinstance(given, str) else ""
    if not _HASH.fullmatch(text):
        message = "A document's id is its SHA-256 in hexadecimal."
        raise BadRequest(message)
    return text


def _deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [below for one in level if isinstance(one, dict | list) for below in _inside(one)]
        if not level:
            return False
    return True


def _inside(one: dict[str, Any] | list[Any]) -> list[Any]:
    return list(one.values()) if isinstance(one, dict) else one
