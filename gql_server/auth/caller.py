"""A caller: who asks, as far as that is known."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `name` is for logs and rates; `may_write` says whether mutations run."""

    name: str
    may_write: bool = False
    principal: str | None = None
    """What tells this caller's answers from those of others; None where the store gives all the same."""
    authorization: str | None = None
    """What goes to the MLflow server in this caller's name; never logged."""
    proven: bool = True
    """Whether somebody found that the credentials hold; without, the name is only what the caller says."""


ANYONE: Final = Caller("anyone", may_write=True)
"""Who asks where nobody is asked who they are."""

current: ContextVar[Caller | None] = ContextVar("caller", default=None)
"""Who is being answered; worker threads get it with the context that they run in."""


def uses_callers_credentials() -> bool:
    """Report whether calls to the store in this context use the caller's own credentials."""
    caller = current.get()
    return caller is not None and caller.authorization is not None
