"""Files being uploaded, which become visible only when they are complete."""

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from typing_extensions import override

from gql_server.artifacts.artifact_path import path_error
from gql_server.artifacts.storage_errors import storage_errors_as_public
from gql_server.artifacts.unfinished_file import UnfinishedFile
from gql_server.runtime.full_disk import is_full_disk
from gql_server.runtime.temporary_folder import new_temporary_folder
from schema.ports.errors import Forbidden, PublicError, StoreUnavailable

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_BAD_PATH: Final = {
    errno.ENOTDIR,
    errno.ELOOP,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOTEMPTY,
    errno.EINVAL,
}


class IncomingFile(Protocol):
    """A file that is being uploaded. Its methods block; either `commit` or `discard` ends it."""

    def write(self, content: bytes) -> None:
        """Append bytes."""
        ...

    def commit(self) -> bool:
        """Publish the file under its name, replacing any file there.

        Returns False if the file replaced another, and True if it did not or this is unknown.
        """
        ...

    def discard(self) -> None:
        """Delete what was written; has no effect after `commit`."""
        ...


class LocalIncomingFile(IncomingFile):
    """A file for a folder on this machine, which has no name or a hidden one in that folder until `commit`.

    Missing parent folders are created. Symbolic links are not followed, since they may lead out of the root.
    """

    def __init__(self, root: Path, parts: Sequence[str]) -> None:
        self._path = "/".join(parts)
        self._name = parts[-1]
        self._root, self._folders = root, parts[:-1]
        self._created_folders: list[Path] = []
        self._folder = -1
        self._file: UnfinishedFile | None = None
        try:
            with _os_errors_as_public(self._path):
                self._open_folder()
                self._file = UnfinishedFile(self._folder)
                self._file.delete_abandoned()
        except BaseException:
            self.discard()
            raise

    @override
    def write(self, content: bytes) -> None:
        with _os_errors_as_public(self._path):
            self._opened().write(content)

    @override
    def commit(self) -> bool:
        with _os_errors_as_public(self._path):
            is_new = self._publish(self._opened())
        self._created_folders.clear()
        self.discard()
        return is_new

    @override
    def discard(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()
        self._close_folder()
        while self._created_folders:
            # rmdir fails if another upload has put a file there.
            with suppress(OSError):
                self._created_folders.pop().rmdir()

    def _close_folder(self) -> None:
        if self._folder >= 0:
            os.close(self._folder)
        self._folder = -1

    def _publish(self, file: UnfinishedFile) -> bool:
        try:
            return file.publish(self._name)
        except FileNotFoundError:
            # An aborted upload that had created the folder has removed it, because it seemed to be empty.
            self._open_folder()
            file.folder = self._folder
            return file.publish(self._name)

    def _opened(self) -> UnfinishedFile:
        if self._file is None:
            message = "The file was discarded."
            raise ValueError(message)
        return self._file

    def _open_folder(self) -> None:
        self._close_folder()
        root = self._root
        missing = [folder for folder in (root, *root.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            self._created_folders.append(folder)
        path = root.resolve()
        self._folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        for part in self._folders:
            path /= part
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=self._folder)
                self._created_folders.append(path)
            child = os.open(part, _FOLDER, dir_fd=self._folder)
            os.close(self._folder)
            self._folder = child


class SpooledIncomingFile(IncomingFile):
    """A file for one of MLflow's repositories, which take only whole files."""

    def __init__(self, repository: Any, parts: Sequence[str]) -> None:
        self._repository = repository
        self._parts = parts
        self._path = "/".join(parts)
        self._folder: Path | None = new_temporary_folder("upload")
        self._spooled_path = self._folder / parts[-1]
        try:
            with _os_errors_as_public(self._path):
                self._file = self._spooled_path.open("wb")
        except BaseException:
            self.discard()
            raise

    @override
    def write(self, content: bytes) -> None:
        with _os_errors_as_public(self._path):
            self._file.write(content)

    @override
    def commit(self) -> bool:
        with _os_errors_as_public(self._path):
            # Closing writes the bytes that are still buffered.
            self._file.close()
        with storage_errors_as_public():
            self._repository.log_artifact(str(self._spooled_path), "/".join(self._parts[:-1]) or None)
        self.discard()
        return True

    @override
    def discard(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            with suppress(OSError, AttributeError):
                self._file.close()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _os_errors_as_public(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        public_error = _public_error(path, error)
        if public_error is None:
            raise
        raise public_error from error


def _public_error(path: str, error: OSError) -> PublicError | None:
    if error.errno in _BAD_PATH:
        return path_error(path, "leads along a file or a link, or to a folder, or is too long")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return Forbidden("This server may not write this artifact.")
    if is_full_disk(error):
        return StoreUnavailable("There is not enough disk space for this artifact.")
    if error.errno == errno.ENOENT:
        # Another upload had created the folder and was aborted, or the run was deleted.
        return StoreUnavailable("The folder of this artifact was removed during the upload; try again.")
    return None
