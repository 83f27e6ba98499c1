"""What a request for a file is answered with: a status, headers, and chunks to stream."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NamedTuple, Protocol

CHUNK: Final = 1024 * 1024
"""The bytes that are in memory at once for one who downloads."""

# One range. Of several, RFC 9110, 14.2, allows to send the whole instead.
_RANGE: Final = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")


class FileRequest(NamedTuple):
    """A request for a file: whether its content is wanted, and the headers, in small letters."""

    content: bool
    headers: Mapping[str, str]


class ReadableFile(Protocol):
    """An open file."""

    @property
    def size(self) -> int:
        """Return the size in bytes."""
        ...

    @property
    def etag(self) -> str | None:
        """Return the validator, quotes included; None where another copy could be different."""
        ...

    @property
    def modified(self) -> str:
        """Return when it was last modified, as HTTP writes it; not asked for without a validator."""
        ...

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Give the bytes from `start` to before `stop`, `CHUNK` at a time; raises OSError."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(slots=True)
class FileContent:
    """An answer; `chunks` blocks for each, and `close` is called when all is done or nobody waits."""

    status: int
    headers: dict[str, str]
    chunks: Iterator[bytes] = field(default_factory=lambda: iter(()))
    close: Callable[[], None] = lambda: None


def deliver(file: ReadableFile, wanted: FileRequest) -> FileContent:
    """Answer a request with an open file: as a whole, in a part, or not at all where the client has it."""
    if file.etag is None:
        return _sent(file, wanted, HTTPStatus.OK, {"accept-ranges": "none"}, (0, file.size))
    headers = {"accept-ranges": "bytes", "etag": file.etag, "last-modified": file.modified}
    if _has_it(file, wanted.headers):
        file.close()
        return FileContent(HTTPStatus.NOT_MODIFIED, headers)
    part = _part(file, wanted.headers)
    if part is None:
        return _sent(file, wanted, HTTPStatus.OK, headers, (0, file.size))
    start, stop = part
    if start >= stop:
        file.close()
        headers |= {"content-range": f"bytes */{file.size}", "content-length": "0"}
        return FileContent(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
    headers["content-range"] = f"bytes {start}-{stop - 1}/{file.size}"
    return _sent(file, wanted, HTTPStatus.PARTIAL_CONTENT, headers, part)


def _sent(
    file: ReadableFile, wanted: FileRequest, status: int, headers: dict[str, str], part: tuple[int, int]
) -> FileContent:
    start, stop = part
    headers["content-length"] = str(stop - start)
    if wanted.content:
        return FileContent(status, headers, file.chunks(start, stop), file.close)
    file.close()
    return FileContent(status, headers)


def _has_it(file: ReadableFile, headers: Mapping[str, str]) -> bool:
    known = headers.get("if-none-match")
    if known is None:
        return headers.get("if-modified-since") == file.modified
    tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
    return "*" in tags or file.etag in tags


def _part(file: ReadableFile, headers: Mapping[str, str]) -> tuple[int, int] | None:
    """Return the part that is asked for, an empty one where there is none such; None for the whole."""
    found = _RANGE.fullmatch(headers.get("range", "").strip())
    if found is None or headers.get("if-range", file.etag) not in {file.etag, file.modified}:
        return None
    first, last = found.groups()
    if not first:
        return (max(file.size - int(last), 0), file.size) if last else None
    stop = min(int(last) + 1, file.size) if last else file.size
    if last and int(last) < int(first):
        return None
    return int(first), stop
