"""The artifacts of runs and logged models: listings for the graph, and files for downloads."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeAlias

from gql_server.artifacts.artifact_entry import ArtifactEntry, too_many_entries
from gql_server.artifacts.artifact_path import path_parts
from gql_server.artifacts.content_stream import ContentStream
from gql_server.artifacts.file_content import FileContent
from gql_server.artifacts.file_request import FileRequest
from gql_server.artifacts.repositories import Repositories
from gql_server.config.limits import ArtifactLimits, StoreLimits
from gql_server.runtime.gather import gather_or_cancel
from gql_server.runtime.threads import Threads
from gql_server.runtime.upstream_response import checked_responses
from gql_server.stores.store_call import port_call
from schema.ports.artifacts import Folder, OwnerKind
from schema.ports.errors import NotFound, StoreTimeout
from schema.ports.table import Many, One, Span, Table
from schema.ports.tracking import Tracking

_COLUMNS: Final = ("owner_kind", "owner", "path", "is_dir", "size", "is_readable", "error")
_NO_ENTRY: Final = ArtifactEntry("", is_dir=False, size=None)
"""The entry in the row of a folder that could not be listed."""
_Listing: TypeAlias = list[ArtifactEntry] | Exception
_Uris = dict[tuple[OwnerKind, str], str]
"""Artifact URIs by the kind and id of their owner."""


class ArtifactService:
    """Looks up artifact URIs in a tracking store, and reads the artifacts there.

    `store_threads` and `store_timeout` of the store's limits are for reading artifacts, too.
    """

    def __init__(
        self,
        tracking: Tracking,
        repositories: Repositories,
        limits: ArtifactLimits,
        store_limits: StoreLimits,
    ) -> None:
        self.timeout = store_limits.store_timeout
        self._tracking = tracking
        self._repositories = repositories
        self._download_timeout = limits.download_timeout
        self._max_artifacts = limits.max_artifacts
        self._max_upstream_bytes = store_limits.max_upstream_bytes
        self._threads = Threads(store_limits.store_threads, "artifacts", shared=True)
        # Separate threads, so that slow downloads do not delay listings.
        self._download_threads = Threads(store_limits.store_threads, "downloads")

    async def listings(self, folders: Sequence[Folder]) -> Many:
        """Return the direct entries of each folder by path; none for a folder that does not exist.

        A folder that cannot be listed has its error instead, also if only its storage does not respond.
        """
        uris = await self._uris_in_time([(folder.owner_kind, folder.owner) for folder in folders])
        located = [folder for folder in dict.fromkeys(folders) if (folder.owner_kind, folder.owner) in uris]
        reads = [self._listing(uris[folder.owner_kind, folder.owner], folder) for folder in located]
        listings = await gather_or_cancel(reads)
        return self._as_table(folders, dict(zip(located, listings, strict=True)))

    async def download(
        self, owner_kind: OwnerKind, owner: str, path: str, request: FileRequest
    ) -> ContentStream:
        """Return the response to a request for a file; raise `NotFound` if it or its owner does not exist.

        Raises public errors, and errors that `public_error_from` converts.
        """
        parts = path_parts(path)
        uris = await self._uris([(owner_kind, owner)])
        if not uris or not parts:
            message = f"There is no such {'artifact' if uris else owner_kind}."
            raise NotFound(message)
        opening = self._threads.submit(self._open, uris[owner_kind, owner], parts, request)
        try:
            async with asyncio.timeout(self._download_timeout):
                content = await asyncio.wrap_future(opening)
        except TimeoutError as error:
            opening.add_done_callback(_close_result)
            message = (
                f"The file was not available within {self._download_timeout:g} seconds "
                "(GQL_DOWNLOAD_TIMEOUT)."
            )
            raise StoreTimeout(message) from error
        except asyncio.CancelledError:
            opening.add_done_callback(_close_result)
            raise
        return ContentStream(content, self._download_threads)

    def close(self) -> None:
        """Shut the threads down without waiting for them."""
        for threads in (self._threads, self._download_threads):
            threads.close()

    @port_call
    async def _uris_in_time(self, owners: Sequence[tuple[OwnerKind, str]]) -> _Uris:
        return await self._uris(owners)

    async def _listing(self, uri: str, folder: Folder) -> _Listing:
        """Return the entries of a folder, or the error of reading it."""
        try:
            return await self._entries(uri, path_parts(folder.path.removesuffix("/")))
        except Exception as error:  # noqa: BLE001 - the error of this folder, not of the others
            return error

    @port_call
    async def _entries(self, uri: str, parts: Sequence[str]) -> list[ArtifactEntry]:
        with checked_responses(self._max_upstream_bytes, reads=True):
            return await self._threads.run_cancellable(self._list_folder, uri, parts)

    async def _uris(self, owners: Sequence[tuple[OwnerKind, str]]) -> _Uris:
        """Return the artifact URIs of the owners that exist and have one."""
        run_ids = list(dict.fromkeys(owner for owner_kind, owner in owners if owner_kind == "run"))
        model_ids = list(dict.fromkeys(owner for owner_kind, owner in owners if owner_kind == "model"))
        uris: _Uris = {}
        if run_ids:
            runs = await self._tracking.runs_by_id(run_ids, frozenset({"artifact_uri"}))
            uris |= _uris_by_owner("run", run_ids, runs, "artifact_uri")
        if model_ids:
            models = await self._tracking.models.by_id(model_ids, frozenset({"artifact_location"}))
            uris |= _uris_by_owner("model", model_ids, models, "artifact_location")
        return uris

    def _open(self, uri: str, parts: Sequence[str], request: FileRequest) -> FileContent:
        return self._repositories.get(uri).download(parts, request)

    def _list_folder(self, uri: str, parts: Sequence[str]) -> list[ArtifactEntry]:
        return self._repositories.get(uri).list_folder(parts, self._max_artifacts)

    def _as_table(self, folders: Sequence[Folder], listings: dict[Folder, _Listing]) -> Many:
        rows: list[tuple[Any, ...]] = []
        spans: dict[Folder, Span] = {}
        for folder, listing in listings.items():
            start = len(rows)
            owner = (folder.owner_kind, folder.owner)
            if isinstance(listing, Exception):
                rows.append((*owner, *_NO_ENTRY, listing))
            else:
                rows.extend((*owner, *entry, None) for entry in listing)
            if len(rows) > self._max_artifacts:
                raise too_many_entries(self._max_artifacts)
            spans[folder] = (start, len(rows))
        columns = list(zip(*rows, strict=True)) or [()] * len(_COLUMNS)
        table = Table(len(rows), dict(zip(_COLUMNS, columns, strict=True)))
        return Many(table, [spans.get(folder, (0, 0)) for folder in folders])


def _close_result(opening: Future[FileContent]) -> None:
    """Close a file that was opened after its request had ended."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _uris_by_owner(owner_kind: OwnerKind, owners: Sequence[str], result: One, column: str) -> _Uris:
    uris = {
        owner: result.rows[column][row]
        for owner, row in zip(owners, result.index, strict=True)
        if row is not None
    }
    return {(owner_kind, owner): uri for owner, uri in uris.items() if uri}
