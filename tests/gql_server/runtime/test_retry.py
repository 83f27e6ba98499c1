"""Retries of store calls: up to the configured number, and within the deadline of the call."""

import asyncio
from functools import partial

import pytest

from gql_server.runtime import retry
from gql_server.runtime.deadline import deadline
from gql_server.runtime.retry import RetryableError


@pytest.mark.parametrize(
    ("code", "idempotent", "attempts"),
    [
        ("TEMPORARILY_UNAVAILABLE", True, 3),
        ("TEMPORARILY_UNAVAILABLE", False, 1),
        ("RESOURCE_EXHAUSTED", True, 3),
        ("RESOURCE_EXHAUSTED", False, 3),
        ("UNAUTHENTICATED", False, 3),
    ],
)
async def test_write_is_retried_only_if_rejected(code: str, idempotent: bool, attempts: int) -> None:  # noqa: FBT001
    """A write that failed in processing may have been applied; one that the store rejected was not."""
    calls: list[str] = []

    async def call() -> None:
        calls.append(code)
        raise RetryableError(code, 0)

    with pytest.raises(RetryableError):
        await retry.call_with_retries(call, 2, idempotent=idempotent)
    assert len(calls) == attempts


async def test_retry_after_deadline_is_not_attempted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is raised at once if the pause, the store's or the default, would pass the deadline."""
    calls: list[int] = []

    async def call(retry_after: float | None) -> None:
        calls.append(1)
        raise RetryableError("RESOURCE_EXHAUSTED", retry_after)  # noqa: EM101 - a code

    monkeypatch.setattr(retry, "_FIRST_PAUSE", 100.0)
    monkeypatch.setattr(retry, "_LONGEST_PAUSE", 100.0)
    token = deadline.set(asyncio.get_running_loop().time() + 30)
    for retry_after in (60.0, None):
        with pytest.raises(RetryableError):
            await retry.call_with_retries(partial(call, retry_after), 5, idempotent=True)
    deadline.reset(token)
    assert len(calls) == 2
