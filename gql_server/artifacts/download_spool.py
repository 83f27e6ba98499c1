"""The bounded folder for files that MLflow can only fetch as a whole."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from gql_server.artifacts.open_file import OpenFile
from schema.ports.errors import LimitExceeded, NotFound, StoreUnavailable

_UNKNOWN_SHARE: Final = 4
"""A file of unknown size is taken for one of this part of the spool."""


class DownloadedFile(OpenFile):
    """A file whose name is gone already: its space is free again once it is closed, however that comes."""

    def __init__(self, descriptor: int, give_back: Callable[[], None]) -> None:
        self._give_back = give_back
        super().__init__(descriptor)

    @property
    def etag(self) -> str | None:
        """Return none: when the copy was made says nothing of when the original was."""
        return None

    def close(self) -> None:
        """Close the file, and give its space back."""
        super().close()
        give_back, self._give_back = self._give_back, lambda: None
        give_back()


class DownloadSpool:
    """Gives space in the temporary folder to files, at most `most` bytes at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._lock = Lock()

    def fetch(self, size: int | None, download: Callable[[str], str]) -> DownloadedFile:
        """Return the file that `download` puts into a folder, and says where.

        Raises `LimitExceeded` for a file that would never fit, `StoreUnavailable` for one that does not now.
        """
        expected = self._most // _UNKNOWN_SHARE if size is None else size
        self._take(expected)
        try:
            with _folder() as folder:
                descriptor = _open_in(folder, download(str(folder)))
        except BaseException:
            self._give(expected)
            raise
        return DownloadedFile(descriptor, lambda: self._give(expected))

    def _take(self, size: int) -> None:
        if size > self._most:
            message = f"The file is larger than the {self._most:,} bytes of GQL_ARTIFACT_SPOOL_BYTES."
            raise LimitExceeded(message)
        with self._lock:
            if self._taken + size > self._most:
                message = "Too many files are fetched now (GQL_ARTIFACT_SPOOL_BYTES); try again later."
                raise StoreUnavailable(message)
            self._taken += size

    def _give(self, size: int) -> None:
        with self._lock:
            self._taken -= size


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gql-artifact-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


def _open_in(folder: Path, path: str) -> int:
    # Some repositories return a path where they wrote nothing.
    place = Path(path).resolve()
    if not place.is_relative_to(folder) or not place.is_file():
        message = "There is no such artifact."
        raise NotFound(message)
    return os.open(place, os.O_RDONLY | os.O_NOFOLLOW)
