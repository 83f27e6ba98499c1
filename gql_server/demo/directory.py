"""The directory of a demo store: whose it is, whether it is full, and who is filling it now.

One small SQLite file does all three. Its presence says that the demo made the directory; its exclusive lock
says that a fill is going on, and ends with the process that holds it, however that ends; its ``user_version``
says that a fill was finished, and is committed together with the release of the lock.
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
_WAIT_SECONDS = 120


class DemoDirectoryError(Exception):
    """The directory cannot hold a demo store; the message says why, in one line for a terminal."""


class DemoDirectory:
    """A directory with ``mlflow.db``, ``artifacts/`` and the lock file; nothing else in it is touched."""

    def __init__(self, path: Path) -> None:
        """Name the directory; nothing is read or made before ``claim``."""
        self.path = path.absolute()
        self.database = self.path / "mlflow.db"
        self.artifacts = self.path / "artifacts"
        self._lock_file = self.path / LOCK_FILE

    @property
    def tracking_uri(self) -> str:
        """The URI that MLflow's client and the server open this store with."""
        return f"sqlite:///{self.database.as_posix()}"

    @contextmanager
    def claim(self, waiting: Callable[[], None]) -> Iterator[sqlite3.Connection]:
        """Hold the directory against other fills, and make it if it is not there.

        ``waiting`` is called once if another process holds it; after 120 seconds of that, and for a
        directory with somebody else's files in it, ``DemoDirectoryError`` is raised.
        """
        self._refuse_foreign()
        with closing(self._open()) as connection:
            self._lock(connection, waiting)
            yield connection

    def is_full(self, claim: sqlite3.Connection) -> bool:
        """Whether an earlier fill went to its end and its database is still there."""
        (version,) = claim.execute("PRAGMA user_version").fetchone()
        return bool(version == _FILLED and self.database.exists())

    def clear(self, claim: sqlite3.Connection) -> None:
        """Remove what an interrupted fill left: the database and the artifacts, by name."""
        claim.execute("PRAGMA user_version = 0")
        for leftover in self.path.glob(f"{self.database.name}*"):
            leftover.unlink()
        if self.artifacts.exists():
            shutil.rmtree(self.artifacts)

    def mark_full(self, claim: sqlite3.Connection) -> None:
        """Record that the fill is complete, and release the directory."""
        claim.execute(f"PRAGMA user_version = {_FILLED}")
        claim.execute("COMMIT")

    def _refuse_foreign(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            message = f"{self.path} is a file; the demo store needs a directory."
            raise DemoDirectoryError(message)
        if self.path.exists() and not self._lock_file.exists() and any(self.path.iterdir()):
            message = f"{self.path} has files that the demo did not make; name an empty or a new directory."
            raise DemoDirectoryError(message)

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            # A short timeout, tried again in a loop: Ctrl-C is not seen while SQLite itself waits.
            return sqlite3.connect(self._lock_file, timeout=1.0, isolation_level=None)
        except (OSError, sqlite3.OperationalError) as error:
            message = f"{self.path} cannot be written: {error}."
            raise DemoDirectoryError(message) from error

    def _lock(self, connection: sqlite3.Connection, waiting: Callable[[], None]) -> None:
        for attempt in range(_WAIT_SECONDS):
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    message = f"{self.path} cannot be written: {error}."
                    raise DemoDirectoryError(message) from error
                if attempt == 0:
                    waiting()
            else:
                return
        message = f"Another process is still filling {self.path} after {_WAIT_SECONDS} seconds."
        raise DemoDirectoryError(message)
