"""The values of `extensions.code` that responses of this server have."""

from enum import StrEnum

from schema.ports import errors


class ErrorCode(StrEnum):
    """A code in `extensions.code`; those of a `PublicError` are the class's own."""

    BAD_USER_INPUT = errors.BadUserInput.code
    DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
    FORBIDDEN = errors.Forbidden.code
    INTERNAL_SERVER_ERROR = errors.PublicError.code
    LIMIT_EXCEEDED = errors.LimitExceeded.code
    NOT_FOUND = errors.NotFound.code
    OVERLOADED = "OVERLOADED"
    PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    RATE_LIMITED = "RATE_LIMITED"
    STORE_TIMEOUT = errors.StoreTimeout.code
    STORE_UNAVAILABLE = errors.StoreUnavailable.code
    UNAUTHENTICATED = errors.Unauthenticated.code
    UNSUPPORTED_BY_STORE = errors.UnsupportedByStore.code
    VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
