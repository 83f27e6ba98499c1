"""The page's scripts, styles and fonts: named after their contents, so browsers keep them for good."""

import asyncio
import os
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gql_server.http.compression import encoded, encoding_for
from gql_server.http.graphiql.page import BUILT

_YEAR = 31_536_000
_KEPT = 100
"""Compressed files that are kept: a page has some twenty, of 2 MB together in each of two encodings."""
# What the machine's own registry says of endings differs, and browsers refuse scripts of another type.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}


class PageFiles(StaticFiles):
    """Serves the files that the page names."""

    def __init__(self, built: Path = BUILT) -> None:
        super().__init__(directory=built / "graphiql", check_dir=False)

    async def check_config(self) -> None:
        """Let the files of a page that was not built be not found; the page itself says why."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, compressed for who takes it so."""
        response = await super().get_response(path, scope)
        if not isinstance(response, FileResponse) or response.status_code != HTTPStatus.OK:
            return response
        headers = response.headers
        encoding = encoding_for(
            Headers(scope=scope).get("accept-encoding", ""), int(headers["content-length"])
        )
        if encoding is None:
            return response
        body = await asyncio.to_thread(_encoded, Path(response.path), encoding)
        # Weak: the same file in another encoding is as good. Parts of it are those of the file as it is.
        own = {"content-encoding": encoding, "content-length": str(len(body)), "etag": f"W/{headers['etag']}"}
        kept = {name: value for name, value in headers.items() if name != "accept-ranges"}
        return Response(body, headers=kept | own)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file, to be kept for a year and never asked for again."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = f"public, max-age={_YEAR}, immutable"
        response.headers["vary"] = "accept-encoding"
        response.headers["x-content-type-options"] = "nosniff"
        media_type = _TYPES.get(Path(full_path).suffix)
        if media_type and "content-type" in response.headers:
            response.headers["content-type"] = media_type
        return response


@lru_cache(_KEPT)
def _encoded(path: Path, encoding: str) -> bytes:
    return encoded(path.read_bytes(), encoding)
