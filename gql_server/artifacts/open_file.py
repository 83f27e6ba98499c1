"""A local file that is open, and read by its place."""

import os
import stat
from collections.abc import Iterator
from email.utils import formatdate

from gql_server.artifacts.range_response import CHUNK
from schema.ports.errors import NotFound


class OpenFile:
    """A regular file under a descriptor, which is closed with it; what the path becomes does not matter."""

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
        """Return a validator of what is in it, by when it was written and how much."""
        return f'"{self._status.st_mtime_ns:x}-{self._status.st_size:x}"'

    @property
    def modified(self) -> str:
        """Return when it was last modified, as HTTP writes it."""
        return formatdate(self._status.st_mtime, usegmt=True)

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Give the bytes from `start` to before `stop`; raises OSError where the file got shorter."""
        while start < stop:
            chunk = os.pread(self._descriptor, min(CHUNK, stop - start), start)
            if not chunk:
                message = "The file got shorter while it was read."
                raise OSError(message)
            yield chunk
            start += len(chunk)

    def close(self) -> None:
        """Close the file; once is enough."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
