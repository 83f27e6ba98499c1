"""Responses that take long: parts as they are made, broken off rather than cut short, and files."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from gql_server.http.streaming import in_pieces, patient

_IN_BYTES: Final = re.compile(rb"\s*bytes\s*=", re.IGNORECASE)


class StreamedExport(StreamingResponse):
    """Sends parts; what fails midway closes the connection, so that no client takes a part for the whole.

    A client that does not accept a piece within `patience` seconds is let go. `done` is called at the end,
    whatever that is.
    """

    def __init__(
        self,
        parts: AsyncIterator[bytes],
        *,
        media_type: str,
        headers: dict[str, str],
        patience: float,
        done: Callable[[], None],
    ) -> None:
        super().__init__(parts, media_type=media_type, headers=headers)
        self._patience = patience
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all parts, and call `done`."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._done()

    async def stream_response(self, send: Send) -> None:
        """Send the parts in pieces: a slow client may take long for a part, as long as it goes on reading."""
        await super().stream_response(in_pieces(patient(send, self._patience)))


class ExportFileResponse(FileResponse):
    """Sends a file or parts of it, by HEAD and Range; patience and `done` are as of a Download."""

    def __init__(
        self,
        path: Path,
        *,
        media_type: str,
        headers: dict[str, str],
        patience: float,
        done: Callable[[], None],
    ) -> None:
        super().__init__(path, media_type=media_type, headers=headers)
        self._patience = patience
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what is asked for, and call `done`."""
        try:
            await super().__call__(_whole(scope), receive, patient(send, self._patience))
        finally:
            self._done()


def _whole(scope: Scope) -> Scope:
    """Leave out a Range that is to be ignored: of another unit than bytes, and of HEAD (RFC 9110, 14.2)."""
    is_get = scope["method"] == "GET"
    headers = [
        (name, value)
        for name, value in scope["headers"]
        if name != b"range" or (is_get and _IN_BYTES.match(value))
    ]
    return {**scope, "headers": headers}
