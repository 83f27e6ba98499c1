"""The exception for a request that is refused before it is executed."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from gql_server.http.error_entries import error_entry
from gql_server.http.negotiation import unexecuted_status

RETRY_SECONDS: Final = 5
"""Seconds in Retry-After of a 503 response, unless its error has its own."""


class RequestError(Exception):
    """A request that is not executed; the response has `errors`, the status and the headers.

    Without a status it is an error of the GraphQL document, and the status is that of `unexecuted_status`.
    """

    def __init__(
        self,
        errors: list[dict[str, Any]],
        status: HTTPStatus | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(errors[0]["message"] if errors else "")
        self.errors = errors
        self.status = status
        self.headers = headers or {}

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the distinct codes of the errors."""
        return tuple(dict.fromkeys(error["extensions"]["code"] for error in self.errors))

    @classmethod
    def from_message(
        cls, message: str, code: str, status: HTTPStatus | None = None, **headers: str
    ) -> "RequestError":
        """Return the exception for one error; an underscore in a header's name becomes a hyphen."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls([error_entry(message, code)], status, named)

    @classmethod
    def unavailable(cls, message: str, code: str, retry_seconds: int = RETRY_SECONDS) -> "RequestError":
        """Return the exception for a 503 response with Retry-After."""
        return cls.from_message(message, code, HTTPStatus.SERVICE_UNAVAILABLE, retry_after=str(retry_seconds))

    def status_in(self, media_type: str) -> HTTPStatus:
        """Return the status of a response in this media type."""
        return self.status or unexecuted_status(media_type)
