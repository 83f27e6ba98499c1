"""Asking a store again that could not answer: as often as is set, and no longer than the call may take."""

import asyncio
from functools import partial

import pytest

from gql_server.runtime import retry
from gql_server.runtime.retry import RetryableError


@pytest.mark.parametrize(
    ("code", "reads", "times"),
    [
        ("TEMPORARILY_UNAVAILABLE", True, 3),
        ("TEMPORARILY_UNAVAILABLE", False, 1),
        ("RESOURCE_EXHAUSTED", True, 3),
        ("RESOURCE_EXHAUSTED", False, 3),
        ("UNAUTHENTICATED", False, 3),
    ],
)
async def test_what_writes_is_not_done_twice(code: str, reads: bool, times: int) -> None:  # noqa: FBT001
    """What failed half-way may have been done; what was refused for the rush was not."""
    asked: list[str] = []

    async def ask() -> None:
        asked.append(code)
        raise RetryableError(code, 0)

    with pytest.raises(RetryableError):
        await retry.retrying(ask, 2, reads=reads)
    assert len(asked) == times


async def test_what_would_come_too_late_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause that reaches beyond the deadline is not begun, whether the store asks for it or not."""
    asked: list[int] = []

    async def ask(after: float | None) -> None:
        asked.append(1)
        raise RetryableError("RESOURCE_EXHAUSTED", after)  # noqa: EM101 - a code

    monkeypatch.setattr(retry, "_FIRST", 100.0)
    monkeypatch.setattr(retry, "_LONGEST", 100.0)
    token = retry.deadline.set(asyncio.get_running_loop().time() + 30)
    for after in (60.0, None):
        with pytest.raises(RetryableError):
            await retry.retrying(partial(ask, after), 5, reads=True)
    retry.deadline.reset(token)
    assert len(asked) == 2
