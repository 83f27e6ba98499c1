"""Ending tasks."""

import asyncio
from typing import Any


async def cancel(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks, and return when all of them have ended; their results and exceptions are dropped."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.exception()
