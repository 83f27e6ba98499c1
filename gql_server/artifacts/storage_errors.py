"""What the libraries under MLflow's repositories raise, as faults that a client may read.

Errors are told by the names of their classes and by statuses, since none of the libraries has to be there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

from gql_server.stores.errors import causes, public_error_from
from schema.ports.errors import (
    Forbidden,
    NotFound,
    PublicError,
    StoreTimeout,
    StoreUnavailable,
    UnsupportedByStore,
)

_NO_CREDENTIALS: Final = Forbidden("This server has no credentials for the place of these artifacts.")
_REFUSED: Final = Forbidden("The place of these artifacts does not allow this server to read them.")
_ABSENT: Final = NotFound("There is no such artifact.")
_UNREACHABLE: Final = StoreUnavailable("The place of these artifacts cannot be reached.")
_BUSY: Final = StoreUnavailable("The place of these artifacts is not available now.")
_SLOW: Final = StoreTimeout("The place of these artifacts did not answer in time.")
_NO_HDFS: Final = UnsupportedByStore(
    "These artifacts need Hadoop's native libraries, which are not installed."
)

_BY_CLASS: Final[dict[str, PublicError]] = {
    # botocore
    "NoCredentialsError": _NO_CREDENTIALS,
    "PartialCredentialsError": _NO_CREDENTIALS,
    "CredentialRetrievalError": _NO_CREDENTIALS,
    "NoAuthTokenError": _NO_CREDENTIALS,
    "TokenRetrievalError": _NO_CREDENTIALS,
    "ConnectTimeoutError": _SLOW,
    "ReadTimeoutError": _SLOW,
    "EndpointConnectionError": _UNREACHABLE,
    "HTTPClientError": _UNREACHABLE,
    # google.auth
    "DefaultCredentialsError": _NO_CREDENTIALS,
    "RefreshError": _NO_CREDENTIALS,
    "TransportError": _UNREACHABLE,
    # azure.core
    "ClientAuthenticationError": _NO_CREDENTIALS,
    "ServiceRequestTimeoutError": _SLOW,
    "ServiceResponseTimeoutError": _SLOW,
    "ServiceRequestError": _UNREACHABLE,
    "ServiceResponseError": _UNREACHABLE,
    # ftplib
    "error_temp": _BUSY,
    # Python's own, of sockets
    "TimeoutError": _SLOW,
    "ConnectionError": _UNREACHABLE,
    "gaierror": _UNREACHABLE,
}
_COMES_WITH: Final = {"botocore": "boto3"}
"""The packages to install for those that are missed."""
_BY_STATUS: Final[dict[int, PublicError]] = {
    HTTPStatus.UNAUTHORIZED: _REFUSED,
    HTTPStatus.FORBIDDEN: _REFUSED,
    HTTPStatus.NOT_FOUND: _ABSENT,
    HTTPStatus.REQUEST_TIMEOUT: _SLOW,
    HTTPStatus.TOO_MANY_REQUESTS: _BUSY,
    HTTPStatus.INTERNAL_SERVER_ERROR: _BUSY,
    HTTPStatus.BAD_GATEWAY: _BUSY,
    HTTPStatus.SERVICE_UNAVAILABLE: _BUSY,
    HTTPStatus.GATEWAY_TIMEOUT: _SLOW,
}
_FTP: Final[dict[str, PublicError]] = {"530": _REFUSED, "550": _ABSENT}
"""What an FTP server refuses for good, by its reply's code."""


@contextmanager
def told() -> Iterator[None]:
    """Raise a fault in place of what a repository's library raises, where it stands for one."""
    try:
        yield
    except Exception as error:
        fault = _fault_of(error) if public_error_from(error) is None else None
        if fault is None:
            raise
        # A fault that is raised keeps a traceback, and those above are for all.
        raise type(fault)(*fault.args) from error


def _fault_of(error: BaseException) -> PublicError | None:
    return next(filter(None, map(_of_one, causes(error))), None)


def _of_one(error: BaseException) -> PublicError | None:
    if isinstance(error, ImportError):
        package = _COMES_WITH.get(str(error.name), error.name)
        return UnsupportedByStore(
            f"These artifacts need the Python package {package}, which is not installed."
        )
    if isinstance(error, OSError) and any(name in str(error) for name in ("libjvm", "libhdfs")):
        return _NO_HDFS
    classes = [base.__name__ for base in type(error).__mro__]
    if "error_perm" in classes:
        return _FTP.get(str(error)[:3])
    known = next((_BY_CLASS[name] for name in classes if name in _BY_CLASS), None)
    return known or _BY_STATUS.get(_status(error))


def _status(error: Any) -> int:
    """Return the HTTP status that an error stands for, where botocore's, Azure's or Google's keep it."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        response = response.get("ResponseMetadata", {})
        status = response.get("HTTPStatusCode")
    else:
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
    return status if isinstance(status, int) else 0
