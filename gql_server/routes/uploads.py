"""`PUT /artifacts/<runId>/<path>`: one file of a run, taken while it comes in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from threading import Lock
from typing import Final, TypeVar

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from gql_server.artifacts.artifact_path import path_error, path_parts
from gql_server.artifacts.incoming_file import UNFINISHED_PREFIX, IncomingFile
from gql_server.artifacts.upload_targets import UploadTargets
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cached_store import CachedStore
from gql_server.http.responses import CLIENT_CLOSED_REQUEST
from gql_server.routes.errors import store_error_response
from gql_server.runtime.threads import Threads
from gql_server.stores.ids import check_run_ids
from schema.ports.errors import BadUserInput, LimitExceeded, NotFound, StoreTimeout, StoreUnavailable

_T = TypeVar("_T")
_AT_ONCE: Final = 1024 * 1024
"""The bytes that are in memory at once for one who uploads."""
_STALLED: Final = 60.0
"""Seconds after which a client that sends nothing any more is let go."""


class UploadsEndpoint:
    """Takes files for runs: at most `most` at once in a process, each of at most `most_bytes`.

    `patience` is in seconds and for the store to take a file once all of it is here.
    """

    def __init__(
        self, places: UploadTargets, kept: CachedStore, *, most: int, most_bytes: int, patience: float
    ) -> None:
        self._places = places
        self._kept = kept
        self._most = most
        self._most_bytes = most_bytes
        self._patience = patience
        # For each a step at work, and what waits behind that where nobody waits for the step any more.
        self._threads = Threads(2 * most, "uploads")
        self._under_way = 0
        self._endings: set[asyncio.Future[None]] = set()

    def route(self) -> Route:
        """Return the route."""
        return Route("/artifacts/{run_id}/{path:anything}", self._endpoint, methods=["PUT"])

    def close(self) -> None:
        """Let go of the threads as they finish."""
        self._threads.close(run_queued=True)

    async def _endpoint(self, request: Request) -> Response:
        try:
            return await self._respond(request)
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except Exception as error:  # noqa: BLE001 - each becomes an answer
            return store_error_response(error)

    async def _respond(self, request: Request) -> Response:
        run_id, path = request.path_params["run_id"], request.path_params["path"]
        check_run_ids((run_id,))
        parts = path_parts(path)
        if not parts or parts[-1].startswith(UNFINISHED_PREFIX):
            raise path_error(path, "is not one of a file that can be uploaded")
        if "content-range" in request.headers:
            # To take it for the whole would lose the rest of the file (RFC 9110, 14.5).
            message = "A file is uploaded as a whole; Content-Range is not taken."
            raise BadUserInput(message)
        announced = request.headers.get("content-length", "")
        self._check_size(int(announced) if announced.isdecimal() else 0)
        if self._under_way >= self._most:
            message = "Too many uploads are under way (GQL_MAX_UPLOADS); try again later."
            raise StoreUnavailable(message)
        self._under_way += 1
        try:
            uri = await self._uri(run_id)
            receiving = await self._threads.run(self._places.open, uri, parts)
        except BaseException:
            self._under_way -= 1
            raise
        return await self._take(request, run_id, parts, receiving)

    async def _take(
        self, request: Request, run_id: str, parts: list[str], receiving: IncomingFile
    ) -> Response:
        steps = Lock()
        try:
            size = 0
            async for content in _pieces(request):
                size += len(content)
                self._check_size(size)
                await self._threads.run(_step, steps, partial(receiving.write, content))
            new = await self._finish(steps, receiving)
        finally:
            # Behind whatever step is still at work, where nobody waits for it to end.
            late = steps.locked()
            abandoned = self._threads.submit(_step, steps, receiving.discard)
            ending = asyncio.ensure_future(self._end(run_id, abandoned))
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
            if not late:
                await asyncio.shield(ending)
        body = orjson.dumps({"path": "/".join(parts), "size": size})
        status = HTTPStatus.CREATED if new else HTTPStatus.OK
        return Response(body, status, media_type="application/json")

    async def _end(self, run_id: str, abandoned: Future[None]) -> None:
        try:
            await asyncio.wrap_future(abandoned)
            await self._kept.invalidate((run_id,))
        finally:
            self._under_way -= 1

    async def _uri(self, run_id: str) -> str:
        view = self._kept.for_operation(cache_control=CacheControl.NO_STORE)
        found = await view.runs_by_id([run_id], {"artifact_uri", "lifecycle_stage"})
        place = found.index[0]
        uri = None if place is None else found.rows["artifact_uri"][place]
        if place is None or not uri:
            message = f"There is no run {run_id!r}." if place is None else "This run has no artifacts."
            raise NotFound(message)
        if found.rows["lifecycle_stage"][place] != "ACTIVE":
            message = f"The run {run_id} must be in the 'active' state. Current state is deleted."
            raise BadUserInput(message)
        return str(uri)

    async def _finish(self, steps: Lock, receiving: IncomingFile) -> bool:
        try:
            async with asyncio.timeout(self._patience):
                return await self._threads.run(_step, steps, receiving.commit)
        except TimeoutError as error:
            message = (
                f"The store did not take the file within {self._patience:g} seconds (GQL_UPLOAD_TIMEOUT). "
                "It may or may not have it later."
            )
            raise StoreTimeout(message) from error

    def _check_size(self, size: int) -> None:
        if size > self._most_bytes:
            message = f"The file is larger than {self._most_bytes:,} bytes (GQL_MAX_UPLOAD_BYTES)."
            raise LimitExceeded(message)


def _step(steps: Lock, work: Callable[[], _T]) -> _T:
    with steps:
        return work()


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """Give the body in pieces of some size; raises ClientDisconnect where it does not come to its end."""
    stream = request.stream()
    gathered = bytearray()
    while True:
        try:
            async with asyncio.timeout(_STALLED):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise ClientDisconnect from error
        if chunk is None:
            break
        gathered += chunk
        if len(gathered) >= _AT_ONCE:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)
