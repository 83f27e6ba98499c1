"""Files being uploaded, which become visible only when they are complete."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from typing_extensions import override

from gql_server.artifacts.artifact_path import path_error
from gql_server.artifacts.storage_errors import storage_errors_as_public
from gql_server.runtime.full_disk import is_full_disk
from gql_server.runtime.temporary_folder import new_temporary_folder
from schema.ports.errors import Forbidden, PublicError, StoreUnavailable

UNFINISHED_PREFIX: Final = ".artifact.uploading."
"""The prefix of MLflow's names for incomplete files, which are not listed."""

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
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
    """A file for a folder on this machine, written to a temporary file in that folder and then renamed.

    Missing parent folders are created. Symbolic links are not followed, since they may lead out of the root.
    """

    def __init__(self, root: Path, parts: Sequence[str]) -> None:
        self._path = "/".join(parts)
        self._name = parts[-1]
        self._temporary_name = f"{UNFINISHED_PREFIX}{secrets.token_hex(8)}"
        self._created_folders: list[Path] = []
        self._folder, self._file = -1, -1
        try:
            with _os_errors_as_public(self._path):
                self._open(root, parts[:-1])
        except BaseException:
            self.discard()
            raise

    @override
    def write(self, content: bytes) -> None:
        with _os_errors_as_public(self._path):
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(self._file, rest) :]

    @override
    def commit(self) -> bool:
        with _os_errors_as_public(self._path):
            os.fsync(self._file)
            is_new = not _exists(self._name, self._folder)
            os.replace(self._temporary_name, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            os.fsync(self._folder)
        self._created_folders.clear()
        self.discard()
        return is_new

    @override
    def discard(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            with suppress(OSError):
                os.unlink(self._temporary_name, dir_fd=self._folder)
        if self._folder >= 0:
            os.close(self._folder)
        self._folder, self._file = -1, -1
        while self._created_folders:
            # rmdir fails if another upload has put a file there.
            with suppress(OSError):
                self._created_folders.pop().rmdir()

    def _open(self, root: Path, folders: Sequence[str]) -> None:
        missing = [folder for folder in (root, *root.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            self._created_folders.append(folder)
        path = root.resolve()
        self._folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        for part in folders:
            path /= part
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=self._folder)
                self._created_folders.append(path)
            child = os.open(part, _FOLDER, dir_fd=self._folder)
            os.close(self._folder)
            self._folder = child
        self._file = os.open(self._temporary_name, _NEW_FILE, 0o666, dir_fd=self._folder)


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


def _exists(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


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
