"""Statements in worker threads: with a bound on threads, a time limit, and an end when nobody waits."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine

from gql_server.runtime.threads import Threads
from gql_server.stores.sql.driver_errors import public_driver_error, timeout
from gql_server.stores.sql.session import Session, SessionCancelled

_T = TypeVar("_T")


class SessionPool:
    """Reads from a database without keeping the event loop waiting."""

    def __init__(self, open_: Callable[[], Engine], threads: int, seconds: float) -> None:
        self._open = open_
        self._seconds = seconds
        self._threads = Threads(threads, "database")
        # Interrupting is a round trip to the database, and must not wait for those that it frees.
        self._interrupts = Threads(1, "interrupts")

    async def read(self, work: Callable[[Session], _T]) -> _T:
        """Return what `work` reads in a thread; when the caller is cancelled, so is the statement.

        Waiting for a free thread counts as waiting for the database. Raises `StoreTimeout` where both take
        too long, `StoreUnavailable` where the database cannot be used now.
        """
        reading = Session(self._open, self._seconds)
        answer: asyncio.Future[_T] = asyncio.wrap_future(self._threads.submit(self._read, reading, work))
        try:
            async with asyncio.timeout(self._seconds):
                return await answer
        except TimeoutError as error:
            raise timeout(self._seconds) from error
        finally:
            if answer.cancelled():
                self._interrupts.submit(reading.break_off)

    async def close(self) -> None:
        """Let go of threads; what still runs is not waited for."""
        self._threads.close()
        self._interrupts.close(run_queued=True)

    def _read(self, reading: Session, work: Callable[[Session], _T]) -> _T:
        try:
            return reading.run(work)
        except Exception as error:
            if reading.broken_off:
                raise SessionCancelled from error
            fault = public_driver_error(error, self._seconds)
            if fault is None:
                raise
            raise fault from error
