"""How many operations run at once: those beyond are refused at once, rather than all made slow."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from gql_server.http.errors import OVERLOADED
from gql_server.http.request_error import RequestError

_RETRY_SECONDS = "1"


def stopped(*, change: bool) -> RequestError:
    """Return the refusal of an operation that was under way when the process had to end.

    A change goes on at the store, so nobody is told to send it again.
    """
    if change:
        text = "The server is stopping, and waits no longer; the change may or may not have been applied."
        return RequestError.plain(text, OVERLOADED, HTTPStatus.SERVICE_UNAVAILABLE)
    text = "The server is stopping, and this took longer than it could wait; it may run elsewhere."
    return RequestError.plain(text, OVERLOADED, HTTPStatus.SERVICE_UNAVAILABLE, retry_after=_RETRY_SECONDS)


class ConcurrencyLimit:
    """Lets at most `most` in at a time."""

    def __init__(self, most: int) -> None:
        self.inside = 0
        self._most = most

    @contextmanager
    def pass_through(self) -> Iterator[None]:
        """Be inside meanwhile; raise Refusal, 503 with Retry-After, where it is full."""
        if self.inside >= self._most:
            text = f"The server is busy with {self._most} operations (GQL_MAX_OPERATIONS)."
            raise RequestError.plain(
                text, OVERLOADED, HTTPStatus.SERVICE_UNAVAILABLE, retry_after=_RETRY_SECONDS
            )
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
