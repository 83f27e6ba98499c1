"""A request for a file, with its conditions and its range."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from gql_server.artifacts.open_file import OpenFile

# A single range. For several, RFC 9110, 14.2, allows to send the whole file instead.
_RANGE: Final = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")


class FileRequest(NamedTuple):
    """A GET (`with_body`) or HEAD request for a file; the names of `headers` are in lower case."""

    with_body: bool
    headers: Mapping[str, str]

    def is_not_modified(self, file: OpenFile) -> bool:
        """Return whether the client has the current file, by If-None-Match or If-Modified-Since."""
        etags = self.headers.get("if-none-match")
        if etags is None:
            return self.headers.get("if-modified-since") == file.last_modified
        known = [etag.strip().removeprefix("W/") for etag in etags.split(",")]
        return "*" in known or file.etag in known

    def byte_range(self, file: OpenFile) -> tuple[int, int] | None:
        """Return the requested range as start and stop, or None for the whole file.

        The range is empty if the file has no such bytes.
        """
        match = _RANGE.fullmatch(self.headers.get("range", "").strip())
        if match is None or self.headers.get("if-range", file.etag) not in {file.etag, file.last_modified}:
            return None
        first, last = match.groups()
        if not first:
            return (max(file.size - int(last), 0), file.size) if last else None
        stop = min(int(last) + 1, file.size) if last else file.size
        if last and int(last) < int(first):
            return None
        return int(first), stop
