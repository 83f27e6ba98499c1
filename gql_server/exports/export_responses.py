"""HTTP responses with an export: a stream of parts, or a file."""

from collections.abc import Callable
from pathlib import Path

from starlette.responses import FileResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from gql_server.exports.export_stream import ExportStream
from gql_server.http.range_header import without_ignored_range
from gql_server.http.streaming import send_in_chunks, send_with_timeout


class ExportStreamResponse(StreamingResponse):
    """Sends a stream. An error in the middle closes the connection, so that the client discards the download.

    A client that does not accept a piece within `send_timeout` seconds is disconnected. `on_close` is called
    at the end, also after an error.
    """

    def __init__(
        self,
        stream: ExportStream,
        *,
        media_type: str,
        headers: dict[str, str],
        send_timeout: float,
        on_close: Callable[[], None],
    ) -> None:
        super().__init__(stream.parts(), media_type=media_type, headers=headers)
        if stream.size is not None:
            self.headers["content-length"] = str(stream.size)
        self._send_timeout = send_timeout
        self._on_close = on_close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all parts, and call `on_close`."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._on_close()

    async def stream_response(self, send: Send) -> None:
        """Send the parts in pieces, so that the timeout is for one piece: a slow client may read on."""
        await super().stream_response(send_in_chunks(send_with_timeout(send, self._send_timeout)))


class ExportFileResponse(FileResponse):
    """Sends a file or a range of it, for GET and HEAD.

    `send_timeout` and `on_close` are those of `ExportStreamResponse`.
    """

    def __init__(
        self,
        path: Path,
        *,
        media_type: str,
        headers: dict[str, str],
        send_timeout: float,
        on_close: Callable[[], None],
    ) -> None:
        super().__init__(path, media_type=media_type, headers=headers)
        self._send_timeout = send_timeout
        self._on_close = on_close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file or the range, and call `on_close`."""
        try:
            # Starlette would respond to an ignored range with an error or a part.
            await super().__call__(
                without_ignored_range(scope), receive, send_with_timeout(send, self._send_timeout)
            )
        finally:
            self._on_close()
