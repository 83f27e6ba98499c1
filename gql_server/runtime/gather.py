"""`asyncio.gather` that cancels the other awaitables after a failure."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

_T = TypeVar("_T")


async def gather_or_cancel(awaitables: Iterable[Awaitable[_T]]) -> list[_T]:
    """Return the results of all awaitables; if one fails or the caller is cancelled, cancel the others."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
