"""Folders of temporary files, which the next process deletes if this one is killed."""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
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
    if known is not None and known[0].exists():
        return known[0]
    if known is not None:
        os.close(known[1])
    # In a thread, because the event loop may wait for this function, and deleting gigabytes takes time.
    Thread(target=_delete_abandoned, args=(Path(root),), daemon=True).start()
    _process_folders[root] = _create(root)
    return _process_folders[root][0]


def _create(root: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        with suppress(FileNotFoundError):
            descriptor = os.open(folder, _FOLDER)
            # The lock ends with the process, however that ends. Without locks no process deletes the folder.
            if _lock_folder(descriptor) is not False and folder.exists():
                return folder, descriptor
            os.close(descriptor)
        # Another process has taken it for an abandoned one before it was locked.


def _delete_abandoned(root: Path) -> None:
    """Delete the folders of processes of this user that have ended."""
    for folder in root.glob(f"{PREFIX}*"):
        with suppress(OSError):
            descriptor = os.open(folder, _FOLDER)
            if os.fstat(descriptor).st_uid == os.geteuid() and _lock_folder(descriptor):
                shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)


def _lock_folder(descriptor: int) -> bool | None:
    """Lock a folder; return False if it is locked already, and None if the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
