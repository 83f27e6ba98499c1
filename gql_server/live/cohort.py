"""Equal subscriptions, and the latest answer to all of them."""

import asyncio
from contextvars import Context, copy_context
from typing import Final

import orjson

from gql_server.auth.caller import Caller
from gql_server.cache.response_cache import ComputedResponse
from gql_server.operations.admission import AdmittedOperation

_UNPLANNED_READS: Final = 10
"""Calls to the store of an operation without a plan, of which the number is not known."""


class Cohort:
    """The subscribers of one operation with the same variables and the same caller.

    `version` counts the answers that differed from the one before. A subscriber that was slow gets the latest
    answer, and none of those between.
    """

    def __init__(self, key: str, operation: AdmittedOperation, caller: Caller) -> None:
        self.key = key
        self.operation = operation
        self.caller = caller
        self.version = 0
        self.body = b""
        self.has_ended = False
        self.task: asyncio.Task[None] | None = None
        """The last execution, which may be in flight."""
        self.is_outdated = False
        """Whether the store has changed since the execution in flight began."""
        self._codes: tuple[str, ...] = ()
        self._contexts: dict[object, Context] = {}
        self._changed = asyncio.Event()

    @property
    def size(self) -> int:
        """Return the number of subscribers."""
        return len(self._contexts)

    @property
    def context(self) -> Context:
        """Return the context of the latest subscriber, whose credentials are the newest."""
        return next(reversed(self._contexts.values())).copy()

    @property
    def reads(self) -> int:
        """Return the number of calls to the store of one execution."""
        planned = self.operation.planned
        return planned.plan.reads if planned is not None else _UNPLANNED_READS

    def add(self, subscriber: object) -> None:
        """Add a subscriber, with the context of the calling task."""
        self._contexts[subscriber] = copy_context()

    def remove(self, subscriber: object) -> None:
        """Remove a subscriber."""
        del self._contexts[subscriber]

    def publish(self, response: ComputedResponse) -> None:
        """Make this the latest answer if it differs from the one before."""
        body = bytes(response.body)
        if body == self.body or (response.codes and self._is_same_failure(body, response.codes)):
            return
        self.body, self._codes = body, response.codes
        self.version += 1
        self._notify()

    def end(self) -> None:
        """Let no answer follow the latest one."""
        self.has_ended = True
        self._notify()

    async def has_answer_after(self, version: int) -> bool:
        """Wait until there is an answer after `version`; return False if none will follow."""
        while self.version == version:
            if self.has_ended:
                return False
            await self._changed.wait()
        return True

    def _is_same_failure(self, body: bytes, codes: tuple[str, ...]) -> bool:
        """Return whether only the messages of errors differ: they may have times and ids."""
        return set(codes) == set(self._codes) and _data(body) == _data(self.body)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _data(body: bytes) -> object:
    return orjson.loads(body).get("data")
