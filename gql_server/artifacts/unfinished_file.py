"""A file that gets its name when it is complete."""

import os
import secrets
import stat
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from gql_server.runtime.file_lock import try_lock

UNFINISHED_PREFIX: Final = ".artifact.uploading."
"""The prefix of MLflow's names for incomplete files, which are not listed."""

_OWN_PREFIX: Final = f"{UNFINISHED_PREFIX}gql-"
"""MLflow does not lock its files, so those of this server have a name that MLflow's never have."""
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_LEFTOVER: Final = os.O_RDWR | os.O_NOFOLLOW
_DESCRIPTORS: Final = Path("/proc/self/fd")
ABANDONED_SECONDS: Final = 3600
"""Seconds without a write after which a file that no process has locked is deleted.

Machines that share a folder do not see each other's locks on some mounts (NFS with `local_lock`). An upload
whose client sends nothing ends after a minute.
"""
_MAX_ENTRIES: Final = 10_000
_MAX_SECONDS: Final = 0.1
"""What a clean-up reads of a folder before each upload: 10,000 names take 5 ms on a local disk."""


class UnfinishedFile:
    """A new file in an open folder. Its methods block and raise `OSError`; the caller closes both.

    On Linux it has no name before it is published, and the kernel deletes it when the process ends. Where
    the file system or the system has no such files, and to replace a file, it has a hidden name and a lock.
    A process that is killed leaves that name, and `delete_abandoned` of a later file deletes it.
    """

    def __init__(self, folder: int) -> None:
        self.folder = folder
        """The descriptor of the folder, which another of the same file system can replace."""
        self._name: str | None = None
        self._file = _open_without_name(folder)
        if self._file < 0:
            self._name, self._file = _create(folder)

    def write(self, content: bytes) -> None:
        """Append bytes."""
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def delete_abandoned(self) -> None:
        """Delete what killed processes of this server have left in the folder, an hour or more ago."""
        end = time.monotonic() + _MAX_SECONDS
        with os.scandir(self.folder) as entries:
            names = [entry.name for entry in islice(entries, _MAX_ENTRIES)]
        # The file system's own clock, which may differ from that of this machine.
        unwritten_since = os.fstat(self._file).st_mtime - ABANDONED_SECONDS
        for name in names:
            if time.monotonic() > end:
                return
            if name.startswith(_OWN_PREFIX):
                with suppress(OSError):
                    _delete_if_abandoned(name, self.folder, unwritten_since)

    def publish(self, name: str) -> bool:
        """Give the complete file its name, and return False if it replaced another."""
        os.fsync(self._file)
        is_new = self._link_new(name) if self._name is None else not _exists(name, self.folder)
        if self._name is not None:
            os.replace(self._name, name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
            self._name = None
        os.fsync(self.folder)
        return is_new

    def close(self) -> None:
        """Close the file, and delete it if it was not published."""
        if self._name is not None:
            with suppress(OSError):
                os.unlink(self._name, dir_fd=self.folder)
        os.close(self._file)

    def _link_new(self, name: str) -> bool:
        """Link the file to its name if that is free, and to a hidden name if it is not."""
        try:
            self._link(name)
        except FileExistsError:
            try_lock(self._file)
            hidden = _hidden_name()
            self._link(hidden)
            self._name = hidden
            return False
        return True

    def _link(self, name: str) -> None:
        os.link(_DESCRIPTORS / str(self._file), name, dst_dir_fd=self.folder, follow_symlinks=True)


def _open_without_name(folder: int) -> int:
    """Return the descriptor of a new file, or -1 if there are no files without a name here."""
    # macOS has no such flag, and the name is given through /proc.
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not _DESCRIPTORS.exists():
        return -1
    try:
        return os.open(".", os.O_WRONLY | flag, 0o666, dir_fd=folder)
    except OSError:
        # A reason other than the file system is met again when a file with a name is created.
        return -1


def _create(folder: int) -> tuple[str, int]:
    name = _hidden_name()
    file = os.open(name, _NEW_FILE, 0o666, dir_fd=folder)
    try_lock(file)
    return name, file


def _hidden_name() -> str:
    return f"{_OWN_PREFIX}{secrets.token_hex(8)}"


def _delete_if_abandoned(name: str, folder: int, unwritten_since: float) -> None:
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode) or status.st_mtime > unwritten_since:
        return
    file = os.open(name, _LEFTOVER, dir_fd=folder)
    try:
        if try_lock(file):
            os.unlink(name, dir_fd=folder)
    finally:
        os.close(file)


def _exists(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
