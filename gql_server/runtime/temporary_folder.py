"""Folders of temporary files, which a later process deletes if this one is killed."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from threading import Lock, Thread
from typing import Final

from gql_server.runtime.file_lock import try_lock

PREFIX: Final = "gql-temporary-"
"""The prefix of the folders that are locked: one for each process, and those that processes share."""
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_MAX_ENTRIES: Final = 10_000
"""Names in the temporary directory that one clean-up reads, in about 10 ms."""
_MAX_SECONDS: Final = 60.0
"""Seconds after which a clean-up begins to delete no other folder; the next one continues."""

_lock = Lock()
_process_folders: dict[str, tuple[Path, int]] = {}
"""By their parents, the folders of this process, each with the descriptor that locks it."""


def new_temporary_folder(purpose: str) -> Path:
    """Create a folder that the caller deletes, and return its path; `purpose` begins its name.

    It is in one folder of this process. If the process is killed, a later one of the same user deletes that
    folder when it starts or creates its own.
    """
    with _lock:
        return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=_process_folder()))


@contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """Give a new temporary folder, and delete it at the end."""
    folder = new_temporary_folder(purpose)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def shared_temporary_folder(purpose: str) -> Iterator[Path]:
    """Give a new folder for this process and others, and delete it at the end.

    Each of the others calls `use_shared_folder`, so that a later process deletes the folder only when all
    of them have ended.
    """
    folder, descriptor = _create(tempfile.gettempdir(), f"{PREFIX}{purpose}-", shared=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def use_shared_folder(folder: Path) -> None:
    """Prevent, until this process ends, that a later one deletes a folder of `shared_temporary_folder`."""
    try_lock(os.open(folder, _FOLDER), shared=True)


def delete_unused_folders() -> None:
    """Delete the folders of this process that are empty."""
    with _lock:
        for root, (folder, descriptor) in list(_process_folders.items()):
            with suppress(OSError):
                folder.rmdir()
                del _process_folders[root]
                os.close(descriptor)


def delete_abandoned_folders() -> Thread:
    """Delete the folders of processes of this user that have ended, and return the thread that does it.

    A thread, because the event loop may wait for the caller, and deleting gigabytes takes time.
    """
    thread = Thread(target=_delete_abandoned, args=(Path(tempfile.gettempdir()),), daemon=True)
    thread.start()
    return thread


def _process_folder() -> Path:
    root = tempfile.gettempdir()
    known = _process_folders.get(root)
    if known is not None and known[0].exists():
        return known[0]
    if known is not None:
        os.close(known[1])
    delete_abandoned_folders()
    _process_folders[root] = _create(root, PREFIX)
    return _process_folders[root][0]


def _create(root: str, prefix: str, *, shared: bool = False) -> tuple[Path, int]:
    """Create a folder, and return its path and the descriptor that locks it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=root))
        with suppress(FileNotFoundError):
            descriptor = os.open(folder, _FOLDER)
            # Without locks no process deletes the folder.
            if try_lock(descriptor, shared=shared) is not False and folder.exists():
                return folder, descriptor
            os.close(descriptor)
        # Another process has taken it for an abandoned one before it was locked.


def _delete_abandoned(root: Path) -> None:
    end = time.monotonic() + _MAX_SECONDS
    with suppress(OSError), os.scandir(root) as entries:
        names = [entry.name for entry in islice(entries, _MAX_ENTRIES) if entry.name.startswith(PREFIX)]
        for name in names:
            if time.monotonic() > end:
                return
            with suppress(OSError):
                _delete_if_abandoned(root / name)


def _delete_if_abandoned(folder: Path) -> None:
    descriptor = os.open(folder, _FOLDER)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid() and try_lock(descriptor):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
