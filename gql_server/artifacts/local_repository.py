"""Artifacts in a folder on this machine."""

import errno
import logging
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from gql_server.artifacts.artifact_entry import ArtifactEntry, sorted_entries
from gql_server.artifacts.artifact_path import is_valid_path, path_error
from gql_server.artifacts.file_content import FileContent
from gql_server.artifacts.file_request import FileRequest
from gql_server.artifacts.open_file import OpenFile
from gql_server.artifacts.unfinished_file import UNFINISHED_PREFIX
from schema.ports.errors import BadUserInput, Forbidden, NotFound

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY
# Without O_NONBLOCK, opening a pipe or a device would wait for its other end.
_FILE: Final = os.O_RDONLY | os.O_NONBLOCK
_ABSENT: Final = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENXIO}

_log = logging.getLogger(__name__)


class LocalRepository:
    """The artifacts in a folder. Symbolic links are followed only if their target is in the folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def list_folder(self, parts: Sequence[str], limit: int) -> list[ArtifactEntry]:
        """Return the entries of a folder by path; an empty list if there is no such folder."""
        try:
            descriptor = self._open(parts, _FOLDER)
        except NotFound:
            return []
        try:
            with os.scandir(descriptor) as entries:
                return sorted_entries(self._entries(entries, parts), limit)
        finally:
            os.close(descriptor)

    def download(self, parts: Sequence[str], request: FileRequest) -> FileContent:
        """Return the response to a request for a file."""
        return FileContent.from_file(OpenFile(self._open(parts, _FILE)), request)

    def _entries(
        self, entries: Iterator["os.DirEntry[str]"], parts: Sequence[str]
    ) -> Iterator[ArtifactEntry]:
        for entry in entries:
            if entry.name.startswith(UNFINISHED_PREFIX):
                continue
            artifact = self._entry(entry, (*parts, entry.name))
            if artifact is not None:
                yield artifact

    def _entry(self, entry: "os.DirEntry[str]", parts: Sequence[str]) -> ArtifactEntry | None:
        path = "/".join(parts)
        try:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                status = self._resolve(parts)[1].stat()
        except (OSError, BadUserInput) as error:
            _log.warning("left the artifact %.300r out of its folder: %s", path, type(error).__name__)
            return None
        is_dir = stat.S_ISDIR(status.st_mode)
        return ArtifactEntry(_as_text(path), is_dir, None if is_dir else status.st_size, is_valid_path(path))

    def _resolve(self, parts: Sequence[str]) -> tuple[Path, Path]:
        """Return the root and the path below it, links resolved; raise `BadUserInput` for a path outside."""
        root = self._root.resolve()
        try:
            target = root.joinpath(*parts).resolve()
        except RuntimeError as error:
            # Python before 3.13 reports a circle of links this way.
            raise path_error("/".join(parts), "leads along links that never end") from error
        if not target.is_relative_to(root):
            raise path_error("/".join(parts), "leads out of its folder")
        return root, target

    def _open(self, parts: Sequence[str], flags: int) -> int:
        try:
            root, target = self._resolve(parts)
            return _open_beneath(root, target.relative_to(root).parts, flags)
        except PermissionError as error:
            message = "This server may not read this artifact."
            raise Forbidden(message) from error
        except OSError as error:
            # A part became a link after the path was resolved, or links form a circle.
            if error.errno == errno.ELOOP:
                raise path_error("/".join(parts), "leads along links that change or never end") from error
            if error.errno not in _ABSENT:
                raise
            message = "There is no such artifact."
            raise NotFound(message) from error


def _as_text(path: str) -> str:
    """Return a path with replacement characters for bytes that are not UTF-8."""
    return os.fsencode(path).decode(errors="replace")


def _open_beneath(root: Path, parts: Sequence[str], flags: int) -> int:
    """Open a path part by part with `openat` and `O_NOFOLLOW`; a link in it raises `OSError` (ELOOP)."""
    descriptor = os.open(root, _FOLDER if parts else flags)
    for number, part in enumerate(parts, start=1):
        part_flags = flags if number == len(parts) else _FOLDER
        try:
            child = os.open(part, part_flags | os.O_NOFOLLOW, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = child
    return descriptor
