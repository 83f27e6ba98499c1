"""A bounded folder of files that are written for one request and reused for later ones."""

import asyncio
import shutil
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from pathlib import Path
from typing import Final, TypeAlias

from gql_server.config.limits import ExportLimits
from gql_server.exports.export_file import ExportFile
from gql_server.runtime.temporary_folder import new_temporary_folder
from schema.ports.errors import LimitExceeded, StoreUnavailable

MAX_AGE_FACTOR: Final = 5
"""Maximum age of a file, in multiples of `table_file_seconds`: a file in constant use expires, too."""

RECENT_SECONDS: Final = 10.0
"""Time after a request for a file in which it is sent in place of a stream.

A client requests the length and then the table within that time. Others that read the table again and again
should not get the older data of a file that another client requested.
"""

_MIN_TIMER_SECONDS: Final = 0.5
"""Minimum time between two searches for expired files without a request."""

Write: TypeAlias = Callable[[ExportFile], Awaitable[None]]


class ExportSpool:
    """Files in a temporary folder, by key.

    Readers of Parquet request the end of a file first and then other parts, and readers of CSV its length;
    they need all of them from one file. So the spool returns a file for `table_file_seconds` after its last
    use, but no longer than `MAX_AGE_FACTOR` times that after it was written. It has at most `max_table_files`
    files, of `table_spool_bytes` in total, and evicts the least recently used. A file in use is deleted when
    its last user releases it.

    An `OrderedDict` rather than `cachetools.LRUCache`, because files that are being written cannot be evicted
    and their sizes grow. Files for a single download are in `gql_server.artifacts.download_spool`.
    """

    def __init__(self, limits: ExportLimits) -> None:
        self._limits = limits
        self._max_age = MAX_AGE_FACTOR * limits.table_file_seconds
        self._folder: Path | None = None
        self._cached: OrderedDict[Hashable, ExportFile] = OrderedDict()
        self._on_disk: set[ExportFile] = set()
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    async def acquire(
        self, key: Hashable, write: Write, *, refresh: bool = False, resume: bool = False
    ) -> ExportFile:
        """Return the file for a key; the caller must `release` it.

        `write` writes the file to its path, once for all concurrent requests, and calls `update_size` as the
        file grows. `refresh` writes the file again. `resume` returns the cached file even if it is stale.
        """
        self._drop_expired()
        file = self._cached.get(key)
        if file is None or (not resume and (refresh or file.stale)):
            file = self._begin(key, write)
        self._cached.move_to_end(key)
        file.users += 1
        try:
            # Shielded, so that a client that disconnects does not stop it for the others.
            await asyncio.shield(file.writing)
        except BaseException:
            self.release(file)
            raise
        file.request()
        return file

    def acquire_recent(self, key: Hashable) -> ExportFile | None:
        """Return the file that `acquire` returned in the last `RECENT_SECONDS`, if any, unless it is stale.

        The caller must `release` it.
        """
        file = self._cached.get(key)
        if file is None or file.stale or not file.was_requested_within(RECENT_SECONDS):
            return None
        self._cached.move_to_end(key)
        file.users += 1
        return file

    def release(self, file: ExportFile) -> None:
        """Release a file that was acquired."""
        file.release()
        self._delete_unused(file)

    def update_size(self, file: ExportFile) -> None:
        """Record the size of a file, and delete idle files if there is not enough space for it.

        Raises `LimitExceeded` for a file larger than the spool, and `StoreUnavailable` for one that does not
        fit beside the files in use.
        """
        max_bytes = self._limits.table_spool_bytes
        file.size = file.path.stat().st_size
        if file.size > max_bytes:
            message = (
                f"The file is larger than {max_bytes:,} bytes (GQL_TABLE_SPOOL_BYTES). "
                "A GET without Range of all formats but Parquet needs no file."
            )
            raise LimitExceeded(message)
        while sum(other.size for other in self._on_disk) > max_bytes:
            idle_key = next((key for key, other in self._cached.items() if other.idle), None)
            if idle_key is None:
                message = "Too many files are in use (GQL_TABLE_SPOOL_BYTES); try again later."
                raise StoreUnavailable(message)
            self._drop(idle_key)

    def invalidate(self) -> None:
        """Mark all files stale: new downloads get a new file, and resumed ones the old file."""
        for file in self._cached.values():
            file.stale = True

    def close(self) -> None:
        """Delete all files."""
        for file in self._on_disk:
            file.writing.cancel()
        self._cached.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _begin(self, key: Hashable, write: Write) -> ExportFile:
        self._drop(key)
        if self._folder is None:
            self._folder = new_temporary_folder("tables")
        self._count += 1
        file = ExportFile(self._folder / f"{self._count}")
        file.writing = asyncio.ensure_future(write(file))
        file.writing.add_done_callback(lambda _: self._finish(key, file))
        self._cached[key] = file
        self._on_disk.add(file)
        evictable = [other for other, cached in self._cached.items() if cached.writing.done()]
        for other in evictable[: max(0, len(self._cached) - self._limits.max_table_files)]:
            self._drop(other)
        return file

    def _finish(self, key: Hashable, file: ExportFile) -> None:
        if file.finish():
            self._start_timer()
        elif self._cached.get(key) is file:
            self._drop(key)
        self._delete_unused(file)

    def _start_timer(self) -> None:
        """Let a timer delete expired files if there are no further requests; one is enough for all files."""
        if self._timer is None and self._cached:
            loop = asyncio.get_running_loop()
            seconds = max(_MIN_TIMER_SECONDS, self._limits.table_file_seconds)
            self._timer = loop.call_later(seconds, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._drop_expired()
        self._start_timer()

    def _drop_expired(self) -> None:
        for key, file in list(self._cached.items()):
            if file.is_expired(self._limits.table_file_seconds, self._max_age):
                self._drop(key)

    def _drop(self, key: Hashable) -> None:
        file = self._cached.pop(key, None)
        if file is not None:
            file.cached = False
            self._delete_unused(file)

    def _delete_unused(self, file: ExportFile) -> None:
        if not file.cached and file.idle:
            self._on_disk.discard(file)
            file.path.unlink(missing_ok=True)
