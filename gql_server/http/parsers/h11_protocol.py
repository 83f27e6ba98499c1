"""uvicorn's h11 parser, with responses in JSON to what it refuses."""

import sys
from http import HTTPStatus
from typing import Any

import h11
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from gql_server.http.parsers.chunk_count import ChunkCount
from gql_server.http.parsers.limits import MAX_HEADER_BYTES, MAX_SECTION_BYTES, MAX_URL_BYTES
from gql_server.http.parsers.refusal import (
    MALFORMED,
    SMALL_CHUNKS,
    UNKNOWN_CODING,
    Refusal,
    large_headers,
    long_url,
)
from gql_server.http.parsers.refusing import refuse


class _BoundedConnection(h11.Connection):
    """A connection that raises `RemoteProtocolError` for a body with too many small chunks."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MAX_SECTION_BYTES)
        self._chunks = ChunkCount()

    @override
    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        event = super().next_event()
        if isinstance(event, h11.Data):
            self._chunks.add_data(len(event.data))
            if event.chunk_start and not self._chunks.add_chunk():
                raise h11.RemoteProtocolError(SMALL_CHUNKS.message, SMALL_CHUNKS.status)
        elif isinstance(event, h11.Request):
            self._chunks = ChunkCount()
        return event


class BoundedH11Protocol(H11Protocol):
    """Reads URLs and headers up to the limits of this package. h11 itself drops trailers and bounds them."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.conn = _BoundedConnection()

    @override
    def send_400_response(self, msg: str) -> None:
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.close()
        else:
            refuse(self, self._refusal(sys.exception()))

    def _refusal(self, error: BaseException | None) -> Refusal:
        match getattr(error, "error_status_hint", None):
            case HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
                unread, _ = self.conn.trailing_data
                is_url = len(unread.partition(b"\n")[0]) > MAX_URL_BYTES
                return long_url(MAX_URL_BYTES) if is_url else large_headers(MAX_HEADER_BYTES)
            case HTTPStatus.NOT_IMPLEMENTED:
                return UNKNOWN_CODING
            case SMALL_CHUNKS.status:
                return SMALL_CHUNKS
        return MALFORMED
