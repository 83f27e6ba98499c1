"""Artifacts in whatever else MLflow has a repository for: S3, Azure, Google, FTP and the like."""

import posixpath
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from gql_server.artifacts.download_spool import DownloadSpool
from gql_server.artifacts.entry import Entry, at_most
from gql_server.artifacts.paths import can_be_asked_for
from gql_server.artifacts.range_response import FileContent, FileRequest, deliver
from gql_server.artifacts.storage_errors import told
from schema.ports.errors import NotFound


class RemoteRepository:
    """The artifacts of one of MLflow's repositories, which fetches files as a whole, into the spool."""

    def __init__(self, repository: Any, spool: DownloadSpool) -> None:
        self._repository = repository
        self._spool = spool

    def listing(self, parts: Sequence[str], most: int) -> list[Entry]:
        """Return what is in a folder by path; nothing where there is no such folder."""
        with told():
            return at_most(self._entries(parts), most)

    def deliver(self, parts: Sequence[str], wanted: FileRequest) -> FileContent:
        """Answer a request for a file."""
        with told():
            return self._delivery(parts, wanted)

    def _delivery(self, parts: Sequence[str], wanted: FileRequest) -> FileContent:
        path = "/".join(parts)
        found = next((entry for entry in self._entries(parts[:-1]) if entry.path == path), None)
        if found is None or found.is_dir:
            message = "There is no such artifact."
            raise NotFound(message)
        if not wanted.content:
            headers = {} if found.size is None else {"content-length": str(found.size)}
            return FileContent(HTTPStatus.OK, headers)
        file = self._spool.fetch(
            found.size, lambda folder: self._repository.download_artifacts(path, dst_path=folder)
        )
        return deliver(file, wanted)

    def _entries(self, parts: Sequence[str]) -> Iterator[Entry]:
        folder = "/".join(parts)
        for info in self._repository.list_artifacts(folder or None):
            path = info.path.rstrip("/")
            # The plugin for Azure ML lists what begins with the folder's name too, and what is further below.
            if posixpath.dirname(path) == folder and path and can_be_asked_for(path):
                unknown = info.is_dir or info.file_size is None or info.file_size < 0
                yield Entry(path, bool(info.is_dir), None if unknown else int(info.file_size))
