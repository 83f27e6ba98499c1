"""The caller of a request."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated sender of a request."""

    name: str
    """The name in logs and rate limits."""
    may_write: bool = False
    """Whether mutations and uploads are allowed."""
    principal: str | None = None
    """A part of every cache key, where the store's results depend on the caller; None if they do not."""
    authorization: str | None = None
    """The Authorization header for the MLflow server; never logged."""
    verified: bool = True
    """Whether the credentials have been verified; if not, the name is only a claim."""
    expires: float | None = field(default=None, compare=False)
    """When the credentials expire, in seconds since the epoch; None if the server does not know."""


ANONYMOUS: Final = Caller("anyone", may_write=True)
"""The caller of every request if authentication is off."""

current_caller: ContextVar[Caller | None] = ContextVar("current_caller", default=None)
"""The caller of the request in this context; worker threads run in a copy of the request's context."""


def authenticated_caller() -> Caller:
    """Return the caller of a route behind `AuthenticationMiddleware`."""
    caller = current_caller.get()
    if caller is None:
        message = "The route is not behind AuthenticationMiddleware."
        raise LookupError(message)
    return caller
