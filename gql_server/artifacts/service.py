"""Artifacts of runs and logged models: the port to their folders, and their files for downloads."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future

from gql_server.artifacts.chunks import Chunks
from gql_server.artifacts.entry import Entry, too_many
from gql_server.artifacts.paths import parts_of
from gql_server.artifacts.range_response import FileContent, FileRequest
from gql_server.artifacts.repositories import Repositories
from gql_server.runtime.threads import Threads
from gql_server.stores.mlflow.store_calls import together
from gql_server.stores.store_call import port_call
from schema.ports.artifacts import Folder, OwnerKind
from schema.ports.errors import NotFound, StoreTimeout
from schema.ports.table import Many, Span, Table
from schema.ports.tracking import Tracking

_Uris = dict[tuple[OwnerKind, str], str]


class ArtifactService:
    """Finds out from a tracking store where artifacts are, and reads them there.

    `threads` bounds what is read at once, `timeout` is in seconds for one call of the port and `patience` for
    a file to begin to come, `most` bounds the entries of one call.
    """

    def __init__(
        self,
        tracking: Tracking,
        repositories: Repositories,
        *,
        threads: int = 16,
        timeout: float = 30.0,
        patience: float = 600.0,
        most: int = 50_000,
    ) -> None:
        self.timeout = timeout
        self._tracking = tracking
        self._repositories = repositories
        self._patience = patience
        self._threads = Threads(threads, "artifacts")
        # Of their own, so that slow downloads do not keep listings waiting.
        self._streams = Threads(threads, "downloads")
        self._most = most

    @port_call
    async def listings(self, folders: Sequence[Folder]) -> Many:
        """Return what is directly in each folder, by path; nothing where there is no such folder."""
        asked = {folder: parts_of(folder.path.removesuffix("/")) for folder in folders}
        uris = await self._uris([(folder.owner_kind, folder.owner) for folder in asked])
        there = [folder for folder in asked if (folder.owner_kind, folder.owner) in uris]
        reads = [
            self._threads.run_cancellable(self._list, uris[folder[:2]], asked[folder]) for folder in there
        ]
        found = await together(list(map(asyncio.ensure_future, reads)))
        return self._many(folders, dict(zip(there, found, strict=True)))

    async def deliver(self, owner_kind: OwnerKind, owner: str, path: str, wanted: FileRequest) -> Chunks:
        """Answer a request for a file; NotFound where its owner or the file is not there.

        Raises faults, and what `fault_of` knows.
        """
        parts = parts_of(path)
        uris = await self._uris([(owner_kind, owner)])
        if not uris or not parts:
            message = f"There is no such {'artifact' if uris else owner_kind}."
            raise NotFound(message)
        fetching = self._threads.submit(self._deliver, uris[owner_kind, owner], parts, wanted)
        try:
            async with asyncio.timeout(self._patience):
                delivery = await asyncio.wrap_future(fetching)
        except TimeoutError as error:
            fetching.add_done_callback(_throw_away)
            message = f"The file was not there within {self._patience:g} seconds (GQL_DOWNLOAD_TIMEOUT)."
            raise StoreTimeout(message) from error
        except asyncio.CancelledError:
            fetching.add_done_callback(_throw_away)
            raise
        return Chunks(delivery, self._streams)

    def close(self) -> None:
        """Let go of the threads as they finish."""
        for threads in (self._threads, self._streams):
            threads.close()

    async def _uris(self, owners: Sequence[tuple[OwnerKind, str]]) -> _Uris:
        """Return where the artifacts of each owner are that is there and says so."""
        runs = list(dict.fromkeys(owner for owner_kind, owner in owners if owner_kind == "run"))
        models = list(dict.fromkeys(owner for owner_kind, owner in owners if owner_kind == "model"))
        uris: _Uris = {}
        if runs:
            found = await self._tracking.runs_by_id(runs, frozenset({"artifact_uri"}))
            uris |= _located("run", runs, found.index, found.rows, "artifact_uri")
        if models:
            found = await self._tracking.models.by_id(models, frozenset({"artifact_location"}))
            uris |= _located("model", models, found.index, found.rows, "artifact_location")
        return uris

    def _deliver(self, uri: str, parts: Sequence[str], wanted: FileRequest) -> FileContent:
        return self._repositories.get(uri).deliver(parts, wanted)

    def _list(self, uri: str, parts: Sequence[str]) -> list[Entry]:
        return self._repositories.get(uri).listing(parts, self._most)

    def _many(self, folders: Sequence[Folder], found: dict[Folder, list[Entry]]) -> Many:
        if sum(map(len, found.values())) > self._most:
            raise too_many(self._most)
        rows = [(*folder[:2], *entry) for folder, entries in found.items() for entry in entries]
        columns = list(zip(*rows, strict=True)) or [()] * 5
        names = ("owner_kind", "owner", "path", "is_dir", "size")
        spans: dict[Folder, Span] = {}
        start = 0
        for folder, entries in found.items():
            spans[folder] = (start, start + len(entries))
            start += len(entries)
        table = Table(len(rows), dict(zip(names, columns, strict=True)))
        return Many(table, [spans.get(folder, (0, 0)) for folder in folders])


def _throw_away(fetched: Future[FileContent]) -> None:
    """Close what came when nobody waited for it any more."""
    if not fetched.cancelled() and fetched.exception() is None:
        fetched.result().close()


def _located(
    owner_kind: OwnerKind, owners: Sequence[str], index: Sequence[int | None], rows: Table, column: str
) -> _Uris:
    places = zip(owners, index, strict=True)
    located = {owner: rows[column][place] for owner, place in places if place is not None}
    return {(owner_kind, owner): uri for owner, uri in located.items() if uri}
