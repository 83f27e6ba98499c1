"""Artifacts in a folder of this machine."""

import errno
import logging
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from gql_server.artifacts.entry import Entry, at_most
from gql_server.artifacts.incoming_file import UNFINISHED
from gql_server.artifacts.open_file import OpenFile
from gql_server.artifacts.paths import parts_of, refused
from gql_server.artifacts.range_response import FileContent, FileRequest, deliver
from schema.ports.errors import BadUserInput, Forbidden, NotFound

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY
# Opening a pipe or a device must not wait for its other end.
_FILE: Final = os.O_RDONLY | os.O_NONBLOCK
_ABSENT: Final = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENXIO}

_log = logging.getLogger(__name__)


class LocalRepository:
    """The artifacts under a folder; links in it lead to what is in it, and nowhere else."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def listing(self, parts: Sequence[str], most: int) -> list[Entry]:
        """Return what is in a folder by path; nothing where there is no such folder."""
        try:
            descriptor = self._open(parts, _FOLDER)
        except NotFound:
            return []
        try:
            with os.scandir(descriptor) as entries:
                return at_most(self._entries(entries, parts), most)
        finally:
            os.close(descriptor)

    def deliver(self, parts: Sequence[str], wanted: FileRequest) -> FileContent:
        """Answer a request for a file."""
        return deliver(OpenFile(self._open(parts, _FILE)), wanted)

    def _entries(self, entries: Iterator["os.DirEntry[str]"], parts: Sequence[str]) -> Iterator[Entry]:
        for entry in entries:
            found = None if entry.name.startswith(UNFINISHED) else self._entry(entry, (*parts, entry.name))
            if found is not None:
                yield found

    def _entry(self, entry: "os.DirEntry[str]", parts: Sequence[str]) -> Entry | None:
        path = "/".join(parts)
        try:
            parts_of(path)
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                status = self._resolved(parts)[1].stat()
        except (OSError, BadUserInput) as error:
            _log.warning("left the artifact %.300r out of its folder: %s", path, type(error).__name__)
            return None
        is_dir = stat.S_ISDIR(status.st_mode)
        return Entry(path, is_dir, None if is_dir else status.st_size)

    def _resolved(self, parts: Sequence[str]) -> tuple[Path, Path]:
        """Return the root and the path in it without links; BadUserInput where that is not in it."""
        root = self._root.resolve()
        try:
            target = root.joinpath(*parts).resolve()
        except RuntimeError as error:
            # So Python before 3.13 says that links go in a circle.
            raise refused("/".join(parts), "leads along links that never end") from error
        if not target.is_relative_to(root):
            raise refused("/".join(parts), "leads out of its folder")
        return root, target

    def _open(self, parts: Sequence[str], flags: int) -> int:
        try:
            root, target = self._resolved(parts)
            return _open_beneath(root, target.relative_to(root).parts, flags)
        except PermissionError as error:
            message = "This server may not read this artifact."
            raise Forbidden(message) from error
        except OSError as error:
            # A link took a place since the path was resolved, or links go in a circle.
            if error.errno == errno.ELOOP:
                raise refused("/".join(parts), "leads along links that change or never end") from error
            if error.errno not in _ABSENT:
                raise
            message = "There is no such artifact."
            raise NotFound(message) from error


def _open_beneath(root: Path, parts: Sequence[str], flags: int) -> int:
    """Open a path that has no links in it, from its root on and following none."""
    descriptor = os.open(root, _FOLDER if parts else flags)
    for place, part in enumerate(parts, start=1):
        last = place == len(parts)
        try:
            below = os.open(part, (flags if last else _FOLDER) | os.O_NOFOLLOW, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor
