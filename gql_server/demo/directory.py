"""The directory of a demo store, with a lock file that records its state.

The lock file is a small SQLite database. It exists if the demo created the directory. A process that fills
the directory locks it exclusively, and the lock ends with the process. A complete fill sets its
``user_version``, in the transaction that releases the lock.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOCK_FILE = ".gql-server-demo"

_FILLED = 1
_LOCK_TIMEOUT_SECONDS = 120


class DemoDirectoryError(Exception):
    """The directory cannot be used for a demo store; the message is one line for a terminal."""


class DemoDirectory:
    """A directory with ``mlflow.db``, ``artifacts/`` and the lock file; other files are not changed."""

    def __init__(self, path: Path) -> None:
        """Set the paths; nothing is read or created before ``lock``."""
        self.path = path.absolute()
        self.database = self.path / "mlflow.db"
        self.artifacts = self.path / "artifacts"
        self._lock_file = self.path / LOCK_FILE

    @property
    def tracking_uri(self) -> str:
        """The tracking URI of the store."""
        return f"sqlite:///{self.database.as_posix()}"

    @contextmanager
    def lock(self, on_wait: Callable[[], None]) -> Iterator[sqlite3.Connection]:
        """Lock the directory against other fills, and create it if it does not exist.

        ``on_wait`` is called once if another process has the lock. ``DemoDirectoryError`` is raised if it has
        the lock for 120 seconds, and for a directory with files that the demo did not create.
        """
        self._check_path()
        with closing(self._open()) as connection:
            self._acquire(connection, on_wait)
            yield connection

    def is_filled(self, lock: sqlite3.Connection) -> bool:
        """Whether an earlier fill is complete and its database exists."""
        (version,) = lock.execute("PRAGMA user_version").fetchone()
        return bool(version == _FILLED and self.database.exists())

    def clear(self, lock: sqlite3.Connection) -> None:
        """Remove the database and the artifacts of an interrupted fill."""
        lock.execute("PRAGMA user_version = 0")
        for leftover in self.path.glob(f"{self.database.name}*"):
            leftover.unlink()
        if self.artifacts.exists():
            shutil.rmtree(self.artifacts)

    def mark_filled(self, lock: sqlite3.Connection) -> None:
        """Record that the fill is complete, and release the lock."""
        lock.execute(f"PRAGMA user_version = {_FILLED}")
        lock.execute("COMMIT")

    def _check_path(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            message = f"{self.path} is a file; the demo store needs a directory."
            raise DemoDirectoryError(message)
        if self.path.exists() and not self._lock_file.exists() and any(self.path.iterdir()):
            message = f"{self.path} has files that the demo did not create; use an empty or a new directory."
            raise DemoDirectoryError(message)

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            # The timeout is short and _acquire retries: Python does not handle Ctrl-C while SQLite waits.
            return sqlite3.connect(self._lock_file, timeout=1.0, isolation_level=None)
        except (OSError, sqlite3.OperationalError) as error:
            message = f"{self.path} cannot be written: {error}."
            raise DemoDirectoryError(message) from error

    def _acquire(self, connection: sqlite3.Connection, on_wait: Callable[[], None]) -> None:
        for attempt in range(_LOCK_TIMEOUT_SECONDS):
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    message = f"{self.path} cannot be written: {error}."
                    raise DemoDirectoryError(message) from error
                if attempt == 0:
                    on_wait()
            else:
                return
        message = f"Another process is still filling {self.path} after {_LOCK_TIMEOUT_SECONDS} seconds."
        raise DemoDirectoryError(message)
