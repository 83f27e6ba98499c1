"""An open local file that is read by position."""

import os
import stat
from collections.abc import Iterator
from email.utils import formatdate
from typing import Final

from schema.ports.errors import NotFound

CHUNK_BYTES: Final = 1024 * 1024
"""Size of the chunks in which files are read: what one download occupies in memory."""


class OpenFile:
    """A regular file given by its descriptor, which this object owns. Renaming the path has no effect."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._status = os.fstat(descriptor)
        if not stat.S_ISREG(self._status.st_mode):
            self.close()
            message = "This artifact is not a file."
            raise NotFound(message)

    @property
    def size(self) -> int:
        """Return the size in bytes."""
        return self._status.st_size

    @property
    def etag(self) -> str | None:
        """Return a strong validator with its quotes, from modification time and size; None without one."""
        return f'"{self._status.st_mtime_ns:x}-{self._status.st_size:x}"'

    @property
    def last_modified(self) -> str:
        """Return the time of the last modification as an HTTP date."""
        return formatdate(self._status.st_mtime, usegmt=True)

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to `stop`, at most `CHUNK_BYTES` at a time.

        Raises `OSError` if the file has become shorter.
        """
        while start < stop:
            chunk = os.pread(self._descriptor, min(CHUNK_BYTES, stop - start), start)
            if not chunk:
                message = "The file became shorter while it was read."
                raise OSError(message)
            yield chunk
            start += len(chunk)

    def close(self) -> None:
        """Close the file; further calls do nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
