"""Asking a store again that is asked too often, or stumbles, within the time of the call and no longer."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TypeVar

from mlflow.exceptions import RestException

_T = TypeVar("_T")
_FIRST, _LONGEST = 0.25, 8.0
"""Seconds of the first pause, which then doubles, and of the longest."""

_REFUSED = {"RESOURCE_EXHAUSTED", "UNAUTHENTICATED"}
"""What a store says of a request that it did not look into."""

deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
"""When the call of the port that is under way has to have ended, by the event loop's clock."""


class RetryableError(RestException):
    """The store could not answer now; it wants to be left alone for `after` seconds, if it says so."""

    def __init__(self, error_code: str, after: float | None = None) -> None:
        super().__init__(  # type: ignore[no-untyped-call] # MLflow has no types here
            {"error_code": error_code, "message": "The store cannot answer now."}
        )
        self.after = after

    @property
    def refused(self) -> bool:
        """Say whether nothing was done: the store was too busy to look, or did not know who asks."""
        return self.error_code in _REFUSED


async def retrying(ask: Callable[[], Awaitable[_T]], most: int, *, reads: bool) -> _T:
    """Return what `ask` returns, asking up to `most` times more while it raises `RetryableError`.

    The last error is raised at once where the next try would come after the deadline. What writes is asked
    again only where the store refused to look at it.
    """
    for number in range(most):
        try:
            return await ask()
        except RetryableError as error:
            pause = error.after if error.after is not None else _pause(number)
            if _too_late(pause) or not (reads or error.refused):
                raise
        await asyncio.sleep(pause)
    return await ask()


def _pause(number: int) -> float:
    # Not all at once, since all were refused at once.
    return float(min(_FIRST * 2**number, _LONGEST) * random.uniform(0.5, 1))  # noqa: S311


def _too_late(pause: float) -> bool:
    end = deadline.get()
    return end is not None and asyncio.get_running_loop().time() + pause >= end
