"""Faults that a client may read: each has a code, and its message is written for the client.

    Fault
    ├── BadUserInput        BAD_USER_INPUT: the request is well formed, a value in it is not
    ├── NotFound            NOT_FOUND: a thing that the request needs is not there
    ├── Unauthenticated     UNAUTHENTICATED: the store does not know who asks
    ├── Forbidden           FORBIDDEN: the store knows, and refuses
    ├── LimitExceeded       LIMIT_EXCEEDED: the answer is larger than a bound of this server
    ├── UnsupportedByStore  UNSUPPORTED_BY_STORE: this kind of store cannot do it at all
    ├── StoreUnavailable    STORE_UNAVAILABLE: the store cannot be reached or is not usable now
    └── StoreTimeout        STORE_TIMEOUT: the store did not answer within the time set

Whatever else is raised is a bug or a secret: the server logs it under an id and shows the id alone
(INTERNAL_SERVER_ERROR).
"""

from typing import ClassVar


class PublicError(Exception):
    """An expected fault; `str()` of it is safe to show, `code` goes into `extensions.code`."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"


class BadUserInput(PublicError):
    """A value in the request is not one that the field takes."""

    code = "BAD_USER_INPUT"


class NotFound(PublicError):
    """Something that the request names and cannot do without is not there."""

    code = "NOT_FOUND"


class Unauthenticated(PublicError):
    """The store asked for credentials, or did not accept the ones it got."""

    code = "UNAUTHENTICATED"


class Forbidden(PublicError):
    """The store knows who asks and does not allow it."""

    code = "FORBIDDEN"


class LimitExceeded(PublicError):
    """The answer would pass a bound of this server; the message names the bound and its setting."""

    code = "LIMIT_EXCEEDED"


class UnsupportedByStore(PublicError):
    """The kind of store behind this server has no way to do what was asked."""

    code = "UNSUPPORTED_BY_STORE"


class StoreUnavailable(PublicError):
    """The store is down, gone, locked or of another version; the same request may work later."""

    code = "STORE_UNAVAILABLE"


class StoreTimeout(PublicError):
    """The store took longer than the server waits for it."""

    code = "STORE_TIMEOUT"
