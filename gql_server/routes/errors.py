"""Responses to the exceptions of the stores."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from gql_server.http.responses import STATUSES, error_response
from gql_server.stores.errors import public_error_from
from schema.ports.errors import Unauthenticated


def store_error_response(error: Exception, statuses: Mapping[str, HTTPStatus] = STATUSES) -> Response:
    """Return the response to an exception, of a store's library too.

    Raises `Unauthenticated`: `AuthenticationMiddleware` responds to it if the caller's own credentials were
    rejected, and `ErrorMiddleware` if they were the server's.
    """
    public = public_error_from(error)
    if isinstance(public, Unauthenticated):
        raise public from error
    return error_response(public or error, statuses=statuses)
