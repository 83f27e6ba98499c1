"""Requests that are refused before anything runs: one exception, wherever it is found out."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from gql_server.http.errors import plain_error
from gql_server.http.negotiation import GRAPHQL_RESPONSE


class RequestError(Exception):
    """The request is not run; answered with `errors`, a status and headers.

    Without a status of its own it is a request that GraphQL itself refuses: 400, but 200 in plain JSON, where
    clients take any other status for a fault of the transport.
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
        """Return the codes of its errors."""
        return tuple(dict.fromkeys(error["extensions"]["code"] for error in self.errors))

    @classmethod
    def plain(
        cls, message: str, code: str, status: HTTPStatus | None = None, **headers: str
    ) -> "RequestError":
        """Return a refusal of one error; an underscore in a header's name stands for its hyphen."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls([plain_error(message, code)], status, named)

    def status_in(self, media_type: str) -> HTTPStatus:
        """Return the status for an answer in this media type."""
        given = HTTPStatus.BAD_REQUEST if media_type == GRAPHQL_RESPONSE else HTTPStatus.OK
        return self.status or given
