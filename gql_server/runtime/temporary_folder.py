"""Folders of temporary files, which the next process deletes if this one is killed."""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

PREFIX: Final = "gql-temporary-"
"""The prefix of the folder of a process."""
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW

_lock = Lock()
_process_folders: dict[str, tuple[Path, int]] = {}
"""By their parents, the folders of this process, each with the descriptor that locks it."""


def new_temporary_folder(purpose: str) -> Path:
    """Create a folder that the caller deletes, and return its path; `purpose` begins its name.

    It is in one folder of this process. If the process is killed, a later one of the same user deletes that
    folder when it creates its own.
    """
    with _lock:
        return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=_process_folder()))


def delete_unused_folders() -> None:
    """Delete the folders of this process that are empty."""
    with _lock:
        for root, (folder, descriptor) in list(_process_folders.items()):
            with suppress(OSError):
                folder.rmdir()
                del _process_folders[root]
                os.close(descriptor)


def _process_folder() -> Path:
    root = tempfile.gettempdir()
    known = _process_folders.get(root)
    if known is None or not known[0].exists():
        _delete_abandoned(Path(root))
        known = _process_folders[root] = _create(root)
    return known[0]


def _create(root: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        # The lock ends with the process, however that ends.
        descriptor = _try_lock(folder)
        if descriptor is not None and folder.exists():
            return folder, descriptor
        # Another process has taken it for an abandoned one before it was locked.
        if descriptor is not None:
            os.close(descriptor)


def _delete_abandoned(root: Path) -> None:
    """Delete the folders of processes of this user that have ended."""
    for folder in root.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if folder.lstat().st_uid != os.geteuid():
                continue
            descriptor = _try_lock(folder)
            if descriptor is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(descriptor)


def _try_lock(folder: Path) -> int | None:
    """Return the descriptor of a folder that only this process has locked; None if another one has."""
    try:
        descriptor = os.open(folder, _FOLDER)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
