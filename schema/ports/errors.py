"""Errors whose message is written for the client. Each class has a code.

    PublicError
    ├── BadUserInput        BAD_USER_INPUT: a value in a well-formed request is not valid
    ├── NotFound            NOT_FOUND: an object that the request needs does not exist
    ├── Unauthenticated     UNAUTHENTICATED: the store requires credentials or rejects the given ones
    ├── Forbidden           FORBIDDEN: the store does not allow the caller to do this
    ├── LimitExceeded       LIMIT_EXCEEDED: the request or its result exceeds a limit of this server
    ├── UnsupportedByStore  UNSUPPORTED_BY_STORE: this kind of store cannot do this
    ├── StoreUnavailable    STORE_UNAVAILABLE: the store cannot be reached or used at present
    └── StoreTimeout        STORE_TIMEOUT: the store did not respond within the timeout

Any other exception is a bug, and its message may contain a secret. The server logs it with an id and shows
only the id to the client (INTERNAL_SERVER_ERROR).
"""

from typing import ClassVar, Self


class PublicError(Exception):
    """An expected error. Its `str()` is safe to show to the client; `code` becomes `extensions.code`.

    `mlflow_code` becomes `extensions.mlflowErrorCode`: the code of MLflow's error, if there is one.
    """

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"

    def __init__(self, message: str = "", *, mlflow_code: str | None = None) -> None:
        super().__init__(message)
        self.mlflow_code = mlflow_code

    def with_message(self, message: str) -> Self:
        """Return a new error of the same kind and MLflow code with another message."""
        return type(self)(message, mlflow_code=self.mlflow_code)


class BadUserInput(PublicError):
    """A value in the request is not valid for its field."""

    code = "BAD_USER_INPUT"


class NotFound(PublicError):
    """An object that the request names and needs does not exist."""

    code = "NOT_FOUND"


class Unauthenticated(PublicError):
    """The store requires credentials or rejects the given ones."""

    code = "UNAUTHENTICATED"


class Forbidden(PublicError):
    """The store identifies the caller and does not allow the request."""

    code = "FORBIDDEN"


class LimitExceeded(PublicError):
    """The request or its result exceeds a limit of this server. The message names the limit's setting."""

    code = "LIMIT_EXCEEDED"


class UnsupportedByStore(PublicError):
    """The kind of store behind this server cannot do what the request needs."""

    code = "UNSUPPORTED_BY_STORE"


class StoreUnavailable(PublicError):
    """The store is down, locked, missing or of another version. The same request may succeed later."""

    code = "STORE_UNAVAILABLE"


class StoreTimeout(PublicError):
    """The store did not respond within the server's timeout."""

    code = "STORE_TIMEOUT"
