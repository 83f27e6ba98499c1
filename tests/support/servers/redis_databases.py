"""Locks of the databases of a shared Redis server."""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def lock_redis_database(number: int) -> Iterator[bool]:
    """Lock a Redis database against other test processes, and yield whether it succeeded."""
    # The lock of a killed process is released, but its data remains in the database.
    with (Path(tempfile.gettempdir()) / f"gql-test-redis-{number}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
