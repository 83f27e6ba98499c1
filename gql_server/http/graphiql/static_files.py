"""GraphiQL's scripts, styles and fonts. Their names contain a hash, so browsers may cache them forever."""

import asyncio
import os
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from typing_extensions import override

from gql_server.http.compression import compress, encoding_for
from gql_server.http.graphiql.page import BUILT

_YEAR: Final = 31_536_000
_MAX_COMPRESSED_FILES: Final = 100
"""Compressed files in memory: the page has about twenty, with 2 MB together in each of two encodings."""
# The machine's own registry of file types may differ, and browsers refuse scripts of another type.
_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}


class GraphiQLFiles(StaticFiles):
    """Serves the files of the page, compressed if the client accepts that."""

    def __init__(self, built: Path = BUILT) -> None:
        super().__init__(directory=built / "graphiql", check_dir=False)

    @override
    async def check_config(self) -> None:
        # A missing directory is not an error: the page explains that it was not built.
        pass

    @override
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if not isinstance(response, FileResponse) or response.status_code != HTTPStatus.OK:
            return response
        headers = response.headers
        encoding = encoding_for(
            Headers(scope=scope).get("accept-encoding", ""), int(headers["content-length"])
        )
        if encoding is None:
            return response
        body = await asyncio.to_thread(_compressed, Path(response.path), encoding)
        # Weak, because the tag is the same in every encoding. Ranges refer to the uncompressed file only.
        changed = {
            "content-encoding": encoding,
            "content-length": str(len(body)),
            "etag": f"W/{headers['etag']}",
        }
        unchanged = {name: value for name, value in headers.items() if name != "accept-ranges"}
        return Response(body, headers=unchanged | changed)

    @override
    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = f"public, max-age={_YEAR}, immutable"
        response.headers["vary"] = "accept-encoding"
        response.headers["x-content-type-options"] = "nosniff"
        media_type = _MEDIA_TYPES.get(Path(full_path).suffix)
        if media_type and "content-type" in response.headers:
            response.headers["content-type"] = media_type
        return response


@lru_cache(_MAX_COMPRESSED_FILES)
def _compressed(path: Path, encoding: str) -> bytes:
    return compress(path.read_bytes(), encoding)
