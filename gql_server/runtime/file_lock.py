"""Locks that end with the process that holds them, however it ends."""

import fcntl


def try_lock(descriptor: int, *, shared: bool = False) -> bool | None:
    """Lock an open file or folder until the descriptor is closed, without waiting.

    Any number of processes can have a shared lock, and then none has another. Returns False if a lock of
    another process prevents it, and None if the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
