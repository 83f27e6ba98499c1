"""Uploads of files to the artifacts of runs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from threading import Lock
from typing import Final, NamedTuple, TypeVar

from gql_server.artifacts.incoming_file import IncomingFile
from gql_server.artifacts.upload_targets import UploadTargets
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cached_store import CachedStore
from gql_server.config.limits import ArtifactLimits
from gql_server.runtime.limiter import Limiter
from gql_server.runtime.threads import Threads
from schema.ports.errors import BadUserInput, LimitExceeded, NotFound, StoreTimeout

CLOSE_SECONDS: Final = 5.0
"""Deleting a file takes far less; a step that waits for a store may take longer than a stop can."""

_T = TypeVar("_T")


class UploadResult(NamedTuple):
    """The size of an uploaded file in bytes, and whether it replaced no other file."""

    size: int
    is_new: bool


class UploadService:
    """Writes files to the artifact locations of runs, with the limits of `ArtifactLimits`."""

    def __init__(self, targets: UploadTargets, store: CachedStore, limits: ArtifactLimits) -> None:
        self._targets = targets
        self._store = store
        self._limits = limits
        self._limiter = Limiter(limits.max_uploads)
        # For each upload a step in progress and its discard, which may wait for that step.
        self._threads = Threads(2 * limits.max_uploads, "uploads")
        self._cleanups: set[asyncio.Future[None]] = set()
        self._in_flight: set[asyncio.Future[None]] = set()

    def check_size(self, size: int) -> None:
        """Raise `LimitExceeded` for a size in bytes that no file may have."""
        if size > self._limits.max_upload_bytes:
            message = (
                f"The file is larger than {self._limits.max_upload_bytes:,} bytes (GQL_MAX_UPLOAD_BYTES)."
            )
            raise LimitExceeded(message)

    async def upload(self, run_id: str, parts: Sequence[str], body: AsyncIterator[bytes]) -> UploadResult:
        """Write the file at the path `parts` below the artifact location of a run.

        Raises `LimiterFull`, public errors, errors that `public_error_from` converts, and those of `body`.
        After `StoreTimeout` the store may still take the file; after any other error it does not have it.
        """
        with ExitStack() as slot:
            slot.enter_context(self._limiter)
            slot.callback(self._begin())
            uri = await self._artifact_uri(run_id)
            file = await self._open(uri, parts, slot)
            release = slot.pop_all().close
        lock = Lock()
        try:
            size = 0
            async for content in body:
                size += len(content)
                self.check_size(size)
                await self._threads.run(_locked, lock, partial(file.write, content))
            is_new = await self._commit(lock, file)
        finally:
            await self._clean_up(run_id, lock, file, release)
        return UploadResult(size, is_new)

    async def close(self) -> None:
        """Wait up to `CLOSE_SECONDS` until uploads that were stopped have discarded their files.

        Queued steps run after that, too, if the process does.
        """
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=CLOSE_SECONDS)
        self._threads.close(run_queued=True)

    def _begin(self) -> Callable[[], None]:
        """Count an upload as in flight until the returned function is called."""
        ended = asyncio.get_running_loop().create_future()
        self._in_flight.add(ended)

        def end() -> None:
            self._in_flight.discard(ended)
            ended.set_result(None)

        return end

    async def _open(self, uri: str, parts: Sequence[str], slot: ExitStack) -> IncomingFile:
        """Open the file. After a cancellation, it is discarded once it is open, and then `slot` is closed."""
        opening = asyncio.wrap_future(self._threads.submit(self._targets.open, uri, parts))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            self._start_cleanup(self._discard_opened(opening, slot.pop_all().close))
            raise

    async def _discard_opened(
        self, opening: "asyncio.Future[IncomingFile]", release: Callable[[], None]
    ) -> None:
        try:
            await asyncio.wait({opening})
            if not opening.cancelled() and opening.exception() is None:
                await self._threads.run(opening.result().discard)
        finally:
            release()

    def _start_cleanup(self, work: Coroutine[None, None, None]) -> "asyncio.Future[None]":
        """Start work that runs to its end even if no caller waits for it."""
        cleanup = asyncio.ensure_future(work)
        self._cleanups.add(cleanup)
        cleanup.add_done_callback(self._cleanups.discard)
        return cleanup

    async def _artifact_uri(self, run_id: str) -> str:
        tracking = self._store.for_operation(cache_control=CacheControl.NO_STORE, single_read=True)
        runs = await tracking.runs_by_id([run_id], {"artifact_uri", "lifecycle_stage"})
        row = runs.index[0]
        uri = None if row is None else runs.rows["artifact_uri"][row]
        if row is None or not uri:
            message = f"There is no run {run_id!r}." if row is None else "This run has no artifacts."
            raise NotFound(message)
        if runs.rows["lifecycle_stage"][row] != "ACTIVE":
            # MLflow's own words.
            message = f"The run {run_id} must be in the 'active' state. Current state is deleted."
            raise BadUserInput(message)
        return str(uri)

    async def _commit(self, lock: Lock, file: IncomingFile) -> bool:
        timeout = self._limits.upload_timeout
        try:
            async with asyncio.timeout(timeout):
                return await self._threads.run(_locked, lock, file.commit)
        except TimeoutError as error:
            message = (
                f"The store did not take the file within {timeout:g} seconds (GQL_UPLOAD_TIMEOUT). "
                "It may or may not store it later."
            )
            raise StoreTimeout(message) from error

    async def _clean_up(
        self, run_id: str, lock: Lock, file: IncomingFile, release: Callable[[], None]
    ) -> None:
        """Discard the file if it was not committed, invalidate the run in the cache, and end the upload.

        If a step is still in progress after a timeout or a disconnect, this does not wait for it.
        """
        step_in_progress = lock.locked()
        discarded = self._threads.submit(_locked, lock, file.discard)
        cleanup = self._start_cleanup(self._finish(run_id, discarded, release))
        if not step_in_progress:
            await asyncio.shield(cleanup)

    async def _finish(self, run_id: str, discarded: Future[None], release: Callable[[], None]) -> None:
        try:
            await asyncio.wrap_future(discarded)
            await self._store.invalidate((run_id,))
        finally:
            release()


def _locked(lock: Lock, step: Callable[[], _T]) -> _T:
    with lock:
        return step()
