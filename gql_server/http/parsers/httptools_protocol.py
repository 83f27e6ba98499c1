"""uvicorn's httptools parser, with bounds on the URL, the headers, the chunks and the trailers."""

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gql_server.http.parsers.chunk_count import ChunkCount
from gql_server.http.parsers.limits import MAX_HEADER_BYTES, MAX_SECTION_BYTES, MAX_URL_BYTES
from gql_server.http.parsers.refusal import MALFORMED, SMALL_CHUNKS, Refusal, large_headers, long_url
from gql_server.http.parsers.refusing import refuse


class BoundedHttpToolsProtocol(HttpToolsProtocol):
    """Drops trailers, which uvicorn would add to the headers, and refuses what exceeds the limits."""

    url = b""
    _error_refusal = MALFORMED
    """The response to an error of the parser."""
    _in_head = True
    _section_bytes = 0
    """Bytes since the last complete head, part of a body, or request."""

    @override
    def data_received(self, data: bytes) -> None:
        self._section_bytes += len(data)
        super().data_received(data)
        if self._section_bytes > MAX_SECTION_BYTES:
            self._refuse(large_headers(MAX_HEADER_BYTES))

    @override
    def on_message_begin(self) -> None:
        self._in_head = True
        self._chunks = ChunkCount()
        super().on_message_begin()

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)

    @override
    def on_headers_complete(self) -> None:
        self._section_bytes = 0
        if len(self.url) > MAX_URL_BYTES:
            # The parser passes it on as an error, to which send_400_response responds.
            raise ValueError
        super().on_headers_complete()
        self._in_head = False

    def on_chunk_header(self) -> None:
        """Count a chunk, as the parser calls this for each."""
        if not self._chunks.add_chunk():
            self._error_refusal = SMALL_CHUNKS
            raise ValueError

    @override
    def on_body(self, body: bytes) -> None:
        self._section_bytes = 0
        self._chunks.add_data(len(body))
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        self._section_bytes = 0
        super().on_message_complete()

    @override
    def send_400_response(self, msg: str) -> None:
        self._refuse(self._error_refusal)

    def _refuse(self, refusal: Refusal) -> None:
        # Of a request in a pipeline the response would be taken for that of an earlier request.
        in_flight = self.cycle is not None and not self.cycle.response_complete
        if in_flight and (self._in_head or self.cycle.response_started):
            self.transport.close()
        elif self.parser is not None:
            refuse(self, long_url(MAX_URL_BYTES) if len(self.url) > MAX_URL_BYTES else refusal)
