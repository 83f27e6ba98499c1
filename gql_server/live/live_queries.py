"""Live queries: operations that are executed again, once an interval for all of their subscribers."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from contextvars import Context
from typing import Any, Final

import orjson

from gql_server.auth.caller import Caller
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.response_cache import ComputedResponse
from gql_server.config.limits import LiveLimits
from gql_server.http.error_codes import ErrorCode
from gql_server.http.error_entries import error_entry, internal_error_entry
from gql_server.http.request_error import RequestError
from gql_server.live.cohort import Cohort
from gql_server.live.subscription_counts import SubscriptionCounts, check_count
from gql_server.observability.metrics import Metrics
from gql_server.operations.admission import AdmittedOperation
from gql_server.operations.executor import OperationExecutor
from gql_server.operations.request_key import request_key

_SHORTEST_SECONDS: Final = 0.05
"""The least time between two rounds. Changes that follow each other closely are read together."""


class LiveQueries:
    """The cohorts of one process, and the rounds that execute the operation of each.

    Rounds follow each other after `live_interval`, or later if they would call the store more often than
    `max_live_calls` times a second. `wake` begins the next round at once.
    """

    def __init__(
        self,
        executor: OperationExecutor,
        subscriptions: SubscriptionCounts,
        limits: LiveLimits,
        metrics: Metrics,
    ) -> None:
        self._executor = executor
        self._limits = limits
        self._metrics = metrics
        self._cohorts: dict[str, Cohort] = {}
        self._subscriptions = subscriptions
        self._slots = asyncio.Semaphore(limits.live_concurrency)
        self._bytes = 0
        self._interval = limits.live_interval
        self._rounds: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()

    @property
    def subscribers(self) -> int:
        """Return the number of subscribers."""
        return sum(cohort.size for cohort in self._cohorts.values())

    @property
    def cohorts(self) -> int:
        """Return the number of cohorts."""
        return len(self._cohorts)

    def wake(self) -> None:
        """Begin the next round now, because the store has changed."""
        self._woken.set()

    async def events(self, operation: AdmittedOperation, caller: Caller) -> AsyncGenerator[bytes]:
        """Yield the answer to an operation as JSON, and yield it again whenever it differs.

        Raises `RequestError` if there are too many subscriptions, and ends if an answer is too large.
        """
        subscriber = object()
        with self._subscriptions.subscription(caller):
            cohort = self._join(operation, caller, subscriber)
            version = 0
            try:
                while await cohort.has_answer_after(version):
                    version = cohort.version
                    yield self._event(cohort)
            finally:
                self._leave(cohort, subscriber)

    async def close(self) -> None:
        """End all subscriptions after the event that each has now."""
        cohorts = list(self._cohorts.values())
        tasks = [task for cohort in cohorts if (task := cohort.task) is not None]
        if self._rounds is not None:
            tasks.append(self._rounds)
        for cohort in cohorts:
            cohort.end()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    def _join(self, operation: AdmittedOperation, caller: Caller, subscriber: object) -> Cohort:
        key = request_key(operation.request, caller)
        cohort = self._cohorts.get(key)
        if cohort is None:
            limit = self._limits.max_cohorts
            check_count(self.cohorts, limit, "different subscriptions", "GQL_MAX_COHORTS")
            cohort = self._cohorts[key] = Cohort(key, operation, caller)
        cohort.add(subscriber)
        self._metrics.set_subscriptions(self.subscribers, self.cohorts)
        if not cohort.version:
            self._execute(cohort)
        if self._rounds is None or self._rounds.done():
            # The task serves all subscribers, so that it does not have the context of one of them.
            self._rounds = asyncio.create_task(self._run(), context=Context())
        return cohort

    def _leave(self, cohort: Cohort, subscriber: object) -> None:
        cohort.remove(subscriber)
        if not cohort.size:
            self._remove(cohort)
        self._metrics.set_subscriptions(self.subscribers, self.cohorts)

    def _remove(self, cohort: Cohort) -> None:
        if self._cohorts.get(cohort.key) is cohort:
            del self._cohorts[cohort.key]
            self._bytes -= len(cohort.body)
            if cohort.task is not None and cohort.task is not asyncio.current_task():
                cohort.task.cancel()

    async def _run(self) -> None:
        """Execute all cohorts in rounds while there are any."""
        loop = asyncio.get_running_loop()
        while self._cohorts:
            began = loop.time()
            calls = sum(cohort.reads for cohort in self._cohorts.values())
            self._interval = max(self._limits.live_interval, calls / self._limits.max_live_calls)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._interval)
            await asyncio.sleep(max(0.0, began + _SHORTEST_SECONDS - loop.time()))
            is_woken = self._woken.is_set()
            self._woken.clear()
            for cohort in self._cohorts.values():
                cohort.is_outdated = is_woken
                self._execute(cohort)

    def _execute(self, cohort: Cohort) -> None:
        """Execute the operation of a cohort, unless an execution is in flight."""
        if cohort.task is None or cohort.task.done():
            cohort.task = asyncio.create_task(self._update(cohort), context=cohort.context)

    async def _update(self, cohort: Cohort) -> None:
        """Publish an answer that was read after the last change that this process knows of."""
        while True:
            async with self._slots:
                cohort.is_outdated = False
                response = await self._compute(cohort)
            if response is not None:
                self._publish(cohort, response)
            if not cohort.is_outdated or cohort.has_ended:
                return

    async def _compute(self, cohort: Cohort) -> ComputedResponse | None:
        """Return the answer; None if the server has no capacity for it in this round."""
        self._metrics.observe_live_execution()
        try:
            return await self._executor.execute(cohort.operation, cohort.caller, CacheControl.NO_CACHE)
        except RequestError as error:
            if cohort.version and error.codes == (ErrorCode.OVERLOADED,):
                return None
            return _failure(error.errors)
        except Exception as error:  # noqa: BLE001 - the subscribers get it as an event
            return _failure([internal_error_entry(error)])

    def _publish(self, cohort: Cohort, response: ComputedResponse) -> None:
        max_bytes = self._limits.max_live_bytes
        if self._bytes - len(cohort.body) + len(response.body) <= max_bytes:
            self._bytes -= len(cohort.body)
            cohort.publish(response)
            self._bytes += len(cohort.body)
            return
        message = (
            f"The answers to all subscriptions have more than {max_bytes:,} bytes (GQL_MAX_LIVE_BYTES): "
            "select fewer fields or smaller pages."
        )
        self._remove(cohort)
        cohort.publish(_failure([error_entry(message, ErrorCode.LIMIT_EXCEEDED)]))
        cohort.end()

    def _event(self, cohort: Cohort) -> bytes:
        if self._interval <= self._limits.live_interval:
            return cohort.body
        # The client learns why its events are later than it expects.
        extensions = orjson.dumps({"live": {"intervalSeconds": round(self._interval, 1)}})
        return b'%b,"extensions":%b}' % (cohort.body[:-1], extensions)


def _failure(errors: list[dict[str, Any]]) -> ComputedResponse:
    codes = tuple({error["extensions"]["code"] for error in errors})
    return ComputedResponse(orjson.dumps({"errors": errors}), 0.0, codes)
