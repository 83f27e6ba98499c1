"""A bounded temporary folder for files that MLflow can only download whole."""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Final

from typing_extensions import override

from gql_server.artifacts.open_file import OpenFile
from gql_server.runtime.temporary_folder import temporary_folder
from schema.ports.errors import LimitExceeded, NotFound, StoreUnavailable

_UNKNOWN_SHARE: Final = 4
"""A file of unknown size reserves the spool's size divided by this."""


class DownloadedFile(OpenFile):
    """A downloaded file that is already unlinked, so that closing it, or exiting, frees its disk space."""

    def __init__(self, descriptor: int, release: Callable[[], None]) -> None:
        self._release = release
        super().__init__(descriptor)

    @property
    @override
    def etag(self) -> None:
        # The copy's modification time is not that of the original.
        return None

    @override
    def close(self) -> None:
        super().close()
        release, self._release = self._release, lambda: None
        release()


class DownloadSpool:
    """Limits the disk space of files that are being downloaded or sent, to `max_bytes` in total.

    Each download is for one response and its file is never reused; files that several requests share are in
    `gql_server.exports.export_spool`.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._reserved = 0
        self._lock = Lock()

    def fetch(self, size: int | None, download: Callable[[str], str]) -> DownloadedFile:
        """Call `download` with a folder, and return the file whose path it returns.

        Raises `LimitExceeded` if the file is larger than the spool, and `StoreUnavailable` if it does not fit
        beside the files in use.
        """
        reserved = self._max_bytes // _UNKNOWN_SHARE if size is None else size
        self._reserve(reserved)
        try:
            with temporary_folder("artifact") as folder:
                descriptor = _open_in(folder, download(str(folder)))
        except BaseException:
            self._release(reserved)
            raise
        return DownloadedFile(descriptor, lambda: self._release(reserved))

    def _reserve(self, size: int) -> None:
        if size > self._max_bytes:
            message = f"The file is larger than the {self._max_bytes:,} bytes of GQL_ARTIFACT_SPOOL_BYTES."
            raise LimitExceeded(message)
        with self._lock:
            if self._reserved + size > self._max_bytes:
                message = "Too many files are being downloaded (GQL_ARTIFACT_SPOOL_BYTES); try again later."
                raise StoreUnavailable(message)
            self._reserved += size

    def _release(self, size: int) -> None:
        with self._lock:
            self._reserved -= size


def _open_in(folder: Path, path: str) -> int:
    # Some repositories return a path without writing a file there.
    file = Path(path).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        message = "There is no such artifact."
        raise NotFound(message)
    return os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
