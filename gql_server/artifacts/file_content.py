"""The response to a request for a file: a status, headers, and chunks to stream."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self

from gql_server.artifacts.file_request import FileRequest
from gql_server.artifacts.open_file import OpenFile


@dataclass(slots=True)
class FileContent:
    """Status, headers and body of a response.

    Reading `chunks` blocks. `close` must be called after the last chunk, or when the client has disconnected.
    """

    status: int
    headers: dict[str, str]
    chunks: Iterator[bytes] = field(default_factory=lambda: iter(()))
    close: Callable[[], None] = lambda: None

    @classmethod
    def from_file(cls, file: OpenFile, request: FileRequest) -> Self:
        """Return the whole file, the requested range, 304 (Not Modified) or 416 (Range Not Satisfiable).

        A file without a validator (ETag) is always sent whole.
        """
        if file.etag is None:
            return cls._part(file, request, HTTPStatus.OK, {"accept-ranges": "none"}, (0, file.size))
        headers = {"accept-ranges": "bytes", "etag": file.etag, "last-modified": file.last_modified}
        if request.is_not_modified(file):
            file.close()
            return cls(HTTPStatus.NOT_MODIFIED, headers)
        byte_range = request.byte_range(file)
        if byte_range is None:
            return cls._part(file, request, HTTPStatus.OK, headers, (0, file.size))
        start, stop = byte_range
        if start >= stop:
            file.close()
            headers |= {"content-range": f"bytes */{file.size}", "content-length": "0"}
            return cls(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
        headers["content-range"] = f"bytes {start}-{stop - 1}/{file.size}"
        return cls._part(file, request, HTTPStatus.PARTIAL_CONTENT, headers, byte_range)

    @classmethod
    def _part(
        cls,
        file: OpenFile,
        request: FileRequest,
        status: int,
        headers: dict[str, str],
        byte_range: tuple[int, int],
    ) -> Self:
        start, stop = byte_range
        headers["content-length"] = str(stop - start)
        if request.with_body:
            return cls(status, headers, file.chunks(start, stop), file.close)
        file.close()
        return cls(status, headers)
