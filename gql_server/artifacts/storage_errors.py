"""Errors of the storage libraries that MLflow's repositories use, converted to public errors.

Errors are recognized by class name and HTTP status, because these libraries are optional dependencies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

from gql_server.stores.error_chain import error_chain
from gql_server.stores.errors import public_error_from
from schema.ports.errors import (
    Forbidden,
    NotFound,
    PublicError,
    StoreTimeout,
    StoreUnavailable,
    UnsupportedByStore,
)

_NO_CREDENTIALS: Final = Forbidden("This server has no credentials for the storage of these artifacts.")
_REFUSED: Final = Forbidden("The storage of these artifacts does not allow this server to read them.")
_ABSENT: Final = NotFound("There is no such artifact.")
_UNREACHABLE: Final = StoreUnavailable("The storage of these artifacts cannot be reached.")
_BUSY: Final = StoreUnavailable("The storage of these artifacts is not available now.")
_SLOW: Final = StoreTimeout("The storage of these artifacts did not respond in time.")
_NO_HDFS: Final = UnsupportedByStore(
    "These artifacts need Hadoop's native libraries, which are not installed."
)

_BY_CLASS_NAME: Final[dict[str, PublicError]] = {
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
    # Python's own, from sockets
    "TimeoutError": _SLOW,
    "ConnectionError": _UNREACHABLE,
    "gaierror": _UNREACHABLE,
}
_PACKAGE_OF_MODULE: Final = {
    "botocore": "boto3",
    "google.cloud": "google-cloud-storage",
    # It requires azure-storage-blob.
    "azure": "azure-storage-file-datalake",
    "azure.identity": "azure-identity",
    "paramiko": "pysftp",
}
"""The package to install for a missing module, if the names differ."""
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
_BY_FTP_REPLY: Final[dict[str, PublicError]] = {"530": _REFUSED, "550": _ABSENT}
"""Permanent errors of an FTP server, by reply code."""


@contextmanager
def storage_errors_as_public() -> Iterator[None]:
    """Raise a public error in place of a storage library's error that corresponds to one."""
    try:
        yield
    except Exception as error:
        public_error = _public_error(error) if public_error_from(error) is None else None
        if public_error is None:
            raise
        # A new instance: raising an exception sets its traceback, and the instances above are shared.
        raise type(public_error)(*public_error.args) from error


def _public_error(error: BaseException) -> PublicError | None:
    return next(filter(None, map(_public_error_of_cause, error_chain(error))), None)


def _public_error_of_cause(error: BaseException) -> PublicError | None:
    if isinstance(error, ImportError):
        package = _PACKAGE_OF_MODULE.get(str(error.name), error.name)
        return UnsupportedByStore(
            f"These artifacts need the Python package {package}, which is not installed."
        )
    if isinstance(error, OSError) and any(name in str(error) for name in ("libjvm", "libhdfs")):
        return _NO_HDFS
    class_names = [base.__name__ for base in type(error).__mro__]
    if "error_perm" in class_names:
        return _BY_FTP_REPLY.get(str(error)[:3])
    by_class = next((_BY_CLASS_NAME[name] for name in class_names if name in _BY_CLASS_NAME), None)
    return by_class or _BY_STATUS.get(_http_status(error))


def _http_status(error: Any) -> int:
    """Return the HTTP status in an error of botocore, Azure or Google; 0 without one."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        response = response.get("ResponseMetadata", {})
        status = response.get("HTTPStatusCode")
    else:
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
    return status if isinstance(status, int) else 0
