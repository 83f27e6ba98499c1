"""Parsing a GraphQL request by the GraphQL-over-HTTP specification."""

import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from gql_server.http.body_length import announced_length
from gql_server.http.content_encoding import check_content_encoding
from gql_server.http.error_codes import ErrorCode
from gql_server.http.error_entries import error_entry
from gql_server.http.request_error import RequestError
from gql_server.http.request_headers import request_headers

_JSON: Final = "application/json"
HASH: Final = re.compile(r"[0-9a-f]{64}")
"""A SHA-256 in hexadecimal."""
DOCUMENT_ID: Final = re.compile(r"[A-Za-z0-9_.:=+-]{1,200}")
"""A hash of another length, or a name, in a manifest of trusted documents."""
_MAX_DEPTH: Final = 100
"""Levels of variables: far more than any input type has, and fewer than orjson can encode."""
_UTF_8: Final = frozenset({"utf-8", "utf8"})
# A lookup in Python's registry of codecs would cache every name for ever, known or not.
_CHARSETS: Final = _UTF_8 | {
    *("ascii", "us-ascii", "iso-8859-1", "iso-8859-15", "latin-1", "latin1", "windows-1252", "cp1252"),
    *("utf-7", "utf-8-sig", "utf-16", "utf-16be", "utf-16le", "utf-32", "utf-32be", "utf-32le"),
    *("big5", "euc-jp", "euc-kr", "gb18030", "gb2312", "gbk", "iso-2022-jp", "koi8-r", "shift_jis"),
}
"""Known charsets: one of these gets 415 if it is not UTF-8, and an unknown one gets 400."""


class MalformedRequest(RequestError):
    """The request is not a GraphQL request."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__([error_entry(message, ErrorCode.BAD_USER_INPUT)], status)


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of a request; `query` is the source of the document."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None
    document_id: str | None = None
    """The SHA-256 of the document, or its id in a manifest; `query` may be empty then."""
    include_cost: bool = False
    """Whether the response includes the cost of the operation: `extensions: {"cost": true}`."""
    root_path: str = ""
    """The path prefix of the server's URLs, a part of the links in the response."""
    is_safe: bool = False
    """Whether the request was sent by GET, which executes no mutation."""


async def read_content(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    """Return the body of a POST request, or the query string of a GET request.

    Raises `RequestError` if it is too long, or the body is not JSON by its type, or encoded.
    """
    if scope["method"] == "POST":
        headers = request_headers(scope)
        _check_content_type(headers.get("content-type", ""))
        check_content_encoding(headers)
        # Before anything is received: a client that expects `100 Continue` does not send the body then.
        _check_body_length(announced_length(headers), max_bytes)
        return await _body(receive, max_bytes)
    query: bytes = scope["query_string"]
    _check_length(query, max_bytes)
    return query


def parse_request(scope: Scope, content: bytes) -> GraphQLRequest:
    """Return the parameters of a request from its content; raise `MalformedRequest` if they are invalid."""
    root_path = scope.get("root_path", "")
    if scope["method"] == "POST":
        return request_from_object(_loads(content, "The body"), root_path)
    return replace(_from_query(QueryParams(content), root_path), is_safe=True)


def _check_length(query: bytes, max_bytes: int) -> None:
    if len(query) > max_bytes:
        message = f"The query string is longer than {max_bytes} bytes (GQL_MAX_BODY_BYTES)."
        raise MalformedRequest(message, HTTPStatus.REQUEST_URI_TOO_LONG)


async def _body(receive: Receive, max_bytes: int) -> bytes:
    body, more_body = bytearray(), True
    while more_body:
        part = await receive()
        if part["type"] == "http.disconnect":
            raise ClientDisconnect
        body += part.get("body", b"")
        more_body = part.get("more_body", False)
        _check_body_length(len(body), max_bytes)
    return bytes(body)


def _check_body_length(length: int, max_bytes: int) -> None:
    if length > max_bytes:
        message = f"The body is larger than {max_bytes} bytes (GQL_MAX_BODY_BYTES)."
        raise MalformedRequest(message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _check_content_type(value: str) -> None:
    if value == _JSON:
        return
    # Not by email.message: it joins split parameters (RFC 2231), and some of them make it raise.
    media_type, *parameters = (part.strip().lower() for part in value.split(";"))
    charsets = (part.removeprefix("charset=") for part in parameters if part.startswith("charset="))
    charset = next(charsets, "utf-8").strip('"')
    if charset not in _CHARSETS:
        message = "The charset of the body is unknown."
        raise MalformedRequest(message)
    if media_type != _JSON or charset not in _UTF_8:
        message = "The body must be application/json in UTF-8."
        raise MalformedRequest(message, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def _from_query(parameters: QueryParams, root_path: str) -> GraphQLRequest:
    return request_from_object(
        {
            "query": parameters.get("query"),
            "operationName": parameters.get("operationName"),
            "variables": _json_parameter(parameters, "variables"),
            "extensions": _json_parameter(parameters, "extensions"),
            "documentId": parameters.get("documentId"),
        },
        root_path,
    )


def _json_parameter(parameters: QueryParams, name: str) -> Any:
    text = parameters.get(name)
    return _loads(text.encode(), name) if text else None


def _loads(text: bytes, name: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        message = f"{name} is not JSON."
        raise MalformedRequest(message) from None


def request_from_object(content: Any, root_path: str) -> GraphQLRequest:
    """Return the parameters in a decoded JSON object; raise `MalformedRequest` if they are invalid."""
    if not isinstance(content, dict):
        message = "The body must be a JSON object; batches are not supported."
        raise MalformedRequest(message)
    # Clients send the empty fields of a form as they are.
    content = {name: value for name, value in content.items() if value != ""}
    for name in ("variables", "extensions"):
        if not isinstance(content.get(name), dict | None):
            message = f"{name} must be an object, and not its JSON text."
            raise MalformedRequest(message)
    operation_name = content.get("operationName")
    if not isinstance(operation_name, str | None):
        message = "operationName must be a string."
        raise MalformedRequest(message)
    variables = content.get("variables") or {}
    if _is_too_deep(variables):
        message = f"variables are nested more than {_MAX_DEPTH} levels."
        raise MalformedRequest(message)
    extensions = content.get("extensions") or {}
    document_id = _document_id(content.get("documentId"), extensions)
    query = content.get("query")
    if query is None and document_id is not None:
        query = ""
    elif not isinstance(query, str) or not query.strip():
        message = "The request has no query."
        raise MalformedRequest(message)
    include_cost = extensions.get("cost") is True
    return GraphQLRequest(query, variables, operation_name, document_id, include_cost, root_path)


def _document_id(value: Any, extensions: dict[str, Any]) -> str | None:
    """Return the document's id: `documentId`, or Apollo's `extensions.persistedQuery.sha256Hash`."""
    persisted = extensions.get("persistedQuery")
    if value is None and isinstance(persisted, dict):
        value = persisted.get("sha256Hash")
    if value is None:
        return None
    text = value if isinstance(value, str) else ""
    document_hash = text.removeprefix("sha256:").lower()
    if HASH.fullmatch(document_hash):
        return document_hash
    if not DOCUMENT_ID.fullmatch(text):
        message = "A document's id is its SHA-256 in hexadecimal, or its id in a manifest."
        raise MalformedRequest(message)
    return text


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [child for item in level if isinstance(item, dict | list) for child in _children(item)]
        if not level:
            return False
    return True


def _children(item: dict[str, Any] | list[Any]) -> list[Any]:
    return list(item.values()) if isinstance(item, dict) else item
