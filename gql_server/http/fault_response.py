"""Faults outside of the graph: a status and the same shape of body as an answer's errors."""

import logging
import uuid
from http import HTTPStatus
from typing import Final

import orjson
from starlette.responses import Response

from gql_server.auth.caller import asks_as_caller
from gql_server.http.errors import INTERNAL, plain_error
from gql_server.stores.errors import public_error_from
from schema.ports.errors import PublicError, Unauthenticated

STATUSES: Final = {
    "BAD_USER_INPUT": HTTPStatus.BAD_REQUEST,
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "UNAUTHENTICATED": HTTPStatus.BAD_GATEWAY,  # it is this server that the store does not know
    "FORBIDDEN": HTTPStatus.FORBIDDEN,
    "LIMIT_EXCEEDED": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "UNSUPPORTED_BY_STORE": HTTPStatus.NOT_IMPLEMENTED,
    "STORE_UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    "STORE_TIMEOUT": HTTPStatus.GATEWAY_TIMEOUT,
}
"""The status of each code of a fault."""
_log = logging.getLogger(__name__)


def fault_response(error: Exception) -> Response:
    """Return what a client may see of an error; what is no fault is logged under a number.

    Raises Unauthenticated where it is the caller's own credentials that the store does not know: the guard
    before this asks for others.
    """
    fault = error if isinstance(error, PublicError) else public_error_from(error)
    if isinstance(fault, Unauthenticated) and asks_as_caller():
        raise fault from error
    if fault is not None:
        return _response(STATUSES[fault.code], str(fault), fault.code)
    number = uuid.uuid4().hex[:12]
    _log.error("error %s", number, exc_info=error)
    text = f"Something went wrong here; the server's log has it as {number}."
    return _response(HTTPStatus.INTERNAL_SERVER_ERROR, text, INTERNAL)


def _response(status: HTTPStatus, text: str, code: str) -> Response:
    headers = {"retry-after": "5"} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    body = orjson.dumps({"errors": [plain_error(text, code)]})
    return Response(body, status, headers, media_type="application/json; charset=utf-8")
