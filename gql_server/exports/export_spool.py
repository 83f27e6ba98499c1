"""Files that were made for one request and are there for those that follow: their length is known."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

from gql_server.exports.export_file import ExportFile
from schema.ports.errors import LimitExceeded, StoreUnavailable

LONGEST: Final = 5
"""How many times `seconds` a file is given out at most: what is read all the time is made anew, too."""

Make: TypeAlias = Callable[[ExportFile], Awaitable[None]]


class ExportSpool:
    """Keeps files in a folder of its own, which goes with it.

    Readers of Parquet ask for its end first, then for parts of it, and must get all from one file. So a file
    is given out for `seconds` after its last use, and for `LONGEST` times as long after it was made, whatever
    that took. There are at most `most_files`, the least used going first, of `most_bytes` together; a file
    that is still sent to someone goes when that is done.
    """

    def __init__(self, *, seconds: float, most_files: int, most_bytes: int) -> None:
        self._seconds = seconds
        self._most_files = most_files
        self._most_bytes = most_bytes
        self._folder: TemporaryDirectory[str] | None = None
        self._kept: OrderedDict[Hashable, ExportFile] = OrderedDict()
        self._on_disk: set[ExportFile] = set()
        self._begun = 0

    async def take(
        self, key: Hashable, make: Make, *, anew: bool = False, goes_on: bool = False
    ) -> ExportFile:
        """Return the file under a key; whoever takes it gives it back by `release`.

        `make` writes it to its path, once for all who ask for it meanwhile, and calls `grew` now and then.
        With `anew` it is made again. Who `goes_on` reading gets the file that there is, be it stale.
        """
        self._drop_old()
        file = self._kept.get(key)
        if file is None or (not goes_on and (anew or file.stale)):
            file = self._begin(key, make)
        self._kept.move_to_end(key)
        file.users += 1
        try:
            # Who leaves does not stop it for others.
            await asyncio.shield(file.making)
        except BaseException:
            self.release(file)
            raise
        return file

    def release(self, file: ExportFile) -> None:
        """Give a file back that was taken."""
        file.let_go()
        self._delete_unused(file)

    def grew(self, file: ExportFile) -> None:
        """Make room for what was written to a file.

        Raises LimitExceeded for a file that would never fit, StoreUnavailable for one that does not now.
        """
        file.size = file.path.stat().st_size
        if file.size > self._most_bytes:
            message = (
                f"The file is larger than {self._most_bytes:,} bytes (GQL_TABLE_SPOOL_BYTES); "
                "CSV and Arrow are sent as they are made and need no file."
            )
            raise LimitExceeded(message)
        while sum(one.size for one in self._on_disk) > self._most_bytes:
            unused = next((key for key, one in self._kept.items() if one.idle), None)
            if unused is None:
                message = "Too many files are made and sent now (GQL_TABLE_SPOOL_BYTES); try again later."
                raise StoreUnavailable(message)
            self._drop(unused)

    def forget(self) -> None:
        """Have all files made anew for whoever begins to read from now on."""
        for file in self._kept.values():
            file.stale = True

    def close(self) -> None:
        """Delete all files."""
        for file in self._on_disk:
            file.making.cancel()
        self._kept.clear()
        if self._folder is not None:
            self._folder.cleanup()

    def _begin(self, key: Hashable, make: Make) -> ExportFile:
        self._drop(key)
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="gql-server-tables-")
        self._begun += 1
        file = ExportFile(Path(self._folder.name) / f"{self._begun}.parquet")
        file.making = asyncio.ensure_future(make(file))
        file.making.add_done_callback(lambda _: self._made(key, file))
        self._kept[key] = file
        self._on_disk.add(file)
        finished = [other for other, one in self._kept.items() if one.making.done()]
        for other in finished[: max(0, len(self._kept) - self._most_files)]:
            self._drop(other)
        return file

    def _made(self, key: Hashable, file: ExportFile) -> None:
        if file.has_been_made():
            # With nobody asking for anything any more, too, it does not lie there for ever.
            asyncio.get_running_loop().call_later(LONGEST * self._seconds + 1, self._drop_old)
        elif self._kept.get(key) is file:
            self._drop(key)
        self._delete_unused(file)

    def _drop_old(self) -> None:
        for key, file in list(self._kept.items()):
            if file.is_old(self._seconds, LONGEST * self._seconds):
                self._drop(key)

    def _drop(self, key: Hashable) -> None:
        file = self._kept.pop(key, None)
        if file is not None:
            file.kept = False
            self._delete_unused(file)

    def _delete_unused(self, file: ExportFile) -> None:
        if not file.kept and file.idle:
            self._on_disk.discard(file)
            file.path.unlink(missing_ok=True)
