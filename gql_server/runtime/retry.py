"""Retries of store calls, within the deadline of the call."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from mlflow.exceptions import RestException

from gql_server.runtime.deadline import deadline

_T = TypeVar("_T")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 8.0
"""Seconds; the pause doubles with each retry."""

_REJECTED = {"RESOURCE_EXHAUSTED", "UNAUTHENTICATED"}
"""The codes of requests that a store did not begin to process."""


class RetryableError(RestException):
    """The store cannot process the request now; `retry_after` are the seconds to wait, if it named any."""

    def __init__(self, error_code: str, retry_after: float | None = None) -> None:
        super().__init__(  # type: ignore[no-untyped-call] # MLflow has no types here
            {"error_code": error_code, "message": "The store cannot process the request now."}
        )
        self.retry_after = retry_after

    @property
    def rejected(self) -> bool:
        """Return whether the store rejected the request before processing, for its rate or its token."""
        return self.error_code in _REJECTED


async def call_with_retries(call: Callable[[], Awaitable[_T]], retries: int, *, idempotent: bool) -> _T:
    """Await `call`, and again up to `retries` times while it raises `RetryableError`.

    The error is raised at once if the next attempt would start after the deadline. A call that is not
    idempotent is retried only if the store rejected it before processing.
    """
    for attempt in range(retries):
        try:
            return await call()
        except RetryableError as error:
            pause = error.retry_after if error.retry_after is not None else _backoff(attempt)
            if _passes_deadline(pause) or not (idempotent or error.rejected):
                raise
        await asyncio.sleep(pause)
    return await call()


def _backoff(attempt: int) -> float:
    # Jitter: calls that were rejected at the same time must not be retried at the same time.
    return float(min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE) * random.uniform(0.5, 1))  # noqa: S311


def _passes_deadline(pause: float) -> bool:
    end = deadline.get()
    return end is not None and asyncio.get_running_loop().time() + pause >= end
