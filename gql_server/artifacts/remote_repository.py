"""Artifacts in S3, Azure, Google Cloud, FTP or another storage that MLflow has a repository for."""

import posixpath
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from gql_server.artifacts.artifact_entry import ArtifactEntry, sorted_entries
from gql_server.artifacts.artifact_path import is_valid_path
from gql_server.artifacts.download_spool import DownloadSpool
from gql_server.artifacts.file_content import FileContent
from gql_server.artifacts.file_request import FileRequest
from gql_server.artifacts.storage_errors import storage_errors_as_public
from schema.ports.errors import NotFound


class RemoteRepository:
    """The artifacts of one of MLflow's repositories, which downloads files whole into the spool."""

    def __init__(self, repository: Any, spool: DownloadSpool) -> None:
        self._repository = repository
        self._spool = spool

    def list_folder(self, parts: Sequence[str], limit: int) -> list[ArtifactEntry]:
        """Return the entries of a folder by path; an empty list if there is no such folder."""
        with storage_errors_as_public():
            return sorted_entries(self._entries(parts), limit)

    def download(self, parts: Sequence[str], request: FileRequest) -> FileContent:
        """Return the response to a request for a file."""
        with storage_errors_as_public():
            return self._download(parts, request)

    def _download(self, parts: Sequence[str], request: FileRequest) -> FileContent:
        path = "/".join(parts)
        entry = next((entry for entry in self._entries(parts[:-1]) if entry.path == path), None)
        if entry is None or entry.is_dir:
            message = "There is no such artifact."
            raise NotFound(message)
        if not request.with_body:
            headers = {} if entry.size is None else {"content-length": str(entry.size)}
            return FileContent(HTTPStatus.OK, headers)
        file = self._spool.fetch(
            entry.size, lambda folder: self._repository.download_artifacts(path, dst_path=folder)
        )
        return FileContent.from_file(file, request)

    def _entries(self, parts: Sequence[str]) -> Iterator[ArtifactEntry]:
        folder = "/".join(parts)
        for info in self._repository.list_artifacts(folder or None):
            path = info.path.rstrip("/")
            # The plugin for Azure ML also lists other paths with this prefix, and the contents of subfolders.
            if posixpath.dirname(path) == folder and path:
                unknown = info.is_dir or info.file_size is None or info.file_size < 0
                size = None if unknown else int(info.file_size)
                yield ArtifactEntry(path, bool(info.is_dir), size, is_valid_path(path))
