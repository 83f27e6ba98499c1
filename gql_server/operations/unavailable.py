"""The 503 responses to operations that the server cannot start or cannot finish."""

from http import HTTPStatus

from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError

_RETRY_SECONDS = 1


def too_many_operations(limit: int) -> RequestError:
    """Return the error for an operation beyond `GQL_MAX_OPERATIONS`."""
    text = f"The server is busy with {limit} operations (GQL_MAX_OPERATIONS)."
    return RequestError.unavailable(text, ErrorCode.OVERLOADED, _RETRY_SECONDS)


def stopping(*, change: bool) -> RequestError:
    """Return the error for an operation that did not finish before the process had to stop.

    The store may still apply a change, so its response has no Retry-After.
    """
    if change:
        text = "The server is stopping before the change has finished; it may or may not have been applied."
        return RequestError.from_message(text, ErrorCode.OVERLOADED, HTTPStatus.SERVICE_UNAVAILABLE)
    text = "The server is stopping before the operation has finished; another server may run it."
    return RequestError.unavailable(text, ErrorCode.OVERLOADED, _RETRY_SECONDS)
