"""Files that come in: whole at their place when all is there, and nowhere before."""

import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from gql_server.artifacts.paths import refused
from schema.ports.errors import Forbidden, PublicError, StoreUnavailable

UNFINISHED: Final = ".artifact.uploading."
"""The beginning of MLflow's names for files that are not whole yet, which are not listed."""

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_UNFIT: Final = {errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENAMETOOLONG, errno.ENOTEMPTY, errno.EINVAL}


class IncomingFile(Protocol):
    """One file that comes in; the methods block. Either `finish` or `abandon` ends it."""

    def write(self, content: bytes) -> None:
        """Take the next bytes."""
        ...

    def finish(self) -> bool:
        """Put the file at its place, over one that was there; say whether there was none, if known."""
        ...

    def abandon(self) -> None:
        """Leave nothing of it; after `finish` there is nothing to leave."""
        ...


class LocalIncomingFile:
    """A file for a folder of this machine, written beside its place in the same file system.

    Folders on the way are made; links are not followed, for they may lead out of the root.
    """

    def __init__(self, root: Path, parts: Sequence[str]) -> None:
        self._path = "/".join(parts)
        self._name = parts[-1]
        self._unfinished = f"{UNFINISHED}{secrets.token_hex(8)}"
        self._made: list[Path] = []
        self._folder, self._file = -1, -1
        try:
            with _told(self._path):
                self._open(root, parts[:-1])
        except BaseException:
            self.abandon()
            raise

    def write(self, content: bytes) -> None:
        """Take the next bytes."""
        with _told(self._path):
            left = memoryview(content)
            while left:
                left = left[os.write(self._file, left) :]

    def finish(self) -> bool:
        """Put the file at its place, on the disk; say whether there was none."""
        with _told(self._path):
            os.fsync(self._file)
            new = not _exists(self._name, self._folder)
            os.replace(self._unfinished, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            os.fsync(self._folder)
        self._made.clear()
        self.abandon()
        return new

    def abandon(self) -> None:
        """Leave nothing of it: no file and no folder that was made for it."""
        if self._file >= 0:
            os.close(self._file)
            with suppress(OSError):
                os.unlink(self._unfinished, dir_fd=self._folder)
        if self._folder >= 0:
            os.close(self._folder)
        self._folder, self._file = -1, -1
        while self._made:
            # Another file may have come into it meanwhile.
            with suppress(OSError):
                self._made.pop().rmdir()

    def _open(self, root: Path, folders: Sequence[str]) -> None:
        missing = [folder for folder in (root, *root.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            self._made.append(folder)
        place = root.resolve()
        self._folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        for part in folders:
            place /= part
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=self._folder)
                self._made.append(place)
            below = os.open(part, _FOLDER, dir_fd=self._folder)
            os.close(self._folder)
            self._folder = below
        self._file = os.open(self._unfinished, _NEW, 0o666, dir_fd=self._folder)


class SpooledIncomingFile:
    """A file for one of MLflow's repositories, which take files as a whole."""

    def __init__(self, repository: Any, parts: Sequence[str]) -> None:
        self._repository = repository
        self._parts = parts
        self._path = "/".join(parts)
        self._folder: Path | None = Path(tempfile.mkdtemp(prefix="gql-upload-"))
        self._place = self._folder / parts[-1]
        try:
            with _told(self._path):
                self._file = self._place.open("wb")
        except BaseException:
            self.abandon()
            raise

    def write(self, content: bytes) -> None:
        """Take the next bytes."""
        with _told(self._path):
            self._file.write(content)

    def finish(self) -> bool:
        """Give the file to the repository; whether there was one it does not say."""
        with _told(self._path):
            # The last bytes are written here.
            self._file.close()
        self._repository.log_artifact(str(self._place), "/".join(self._parts[:-1]) or None)
        self.abandon()
        return True

    def abandon(self) -> None:
        """Leave nothing of it here."""
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
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        fault = _fault_of(path, error)
        if fault is None:
            raise
        raise fault from error


def _fault_of(path: str, error: OSError) -> PublicError | None:
    if error.errno in _UNFIT:
        return refused(path, "leads along a file or a link, or to a folder, or is too long")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return Forbidden("This server may not write this artifact.")
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StoreUnavailable("There is no room for this artifact.")
    if error.errno == errno.ENOENT:
        # That of another upload, which made the folder and broke off, or of who deletes the run.
        return StoreUnavailable("The folder of this artifact was removed meanwhile; try again.")
    return None
