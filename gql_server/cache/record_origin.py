"""Which records one operation may combine."""

import os
from collections.abc import Hashable

STAMP_BYTES = 8


class MixedRecordsError(Exception):
    """The operation has used records that may contradict the next one; it must be executed again.

    The result of the operation is not sent, so that no client receives this error.
    """


class RecordOrigin:
    """The origin of the records that one operation uses.

    Each entry has the stamp of the operation that read it from the store. An operation uses either cached
    records with one stamp, or records that it reads itself. It never combines them: a cached run may have
    been deleted since, and then a search that reads the store does not return it. The first read decides.
    If a later read cannot follow, it raises `MixedRecordsError`, and the operation is executed again without
    the cache. With `final` there is no further execution, and nothing is raised.

    `age` is the age of the oldest cached record used, in seconds; None if all were read from the store.
    """

    def __init__(self, *, fresh: bool = False, final: bool = False) -> None:
        self.stamp = os.urandom(STAMP_BYTES)
        self.age: float | None = None
        self.is_mixed = False
        self.is_fresh = fresh
        self.cached_stamp: bytes | None = None
        self._final = final
        self._stamps_by_group: dict[Hashable, bytes] = {}

    def require_fresh(self) -> None:
        """Record that the operation reads from the store next; it uses no cached records afterwards."""
        if self.cached_stamp is not None:
            self.refuse()
        self.is_fresh = True

    def use_cached(self, stamp: bytes, age: float) -> bool:
        """Return whether the operation may use cached records with this stamp, and record that it does."""
        if self.is_fresh or self.cached_stamp not in {None, stamp}:
            return False
        self.cached_stamp = stamp
        self.add_age(age)
        return True

    def use_group(self, group: Hashable, stamp: bytes) -> None:
        """Record the stamp of a history; all of one group must have one stamp."""
        if self._stamps_by_group.setdefault(group, stamp) != stamp:
            self.refuse()

    def add_age(self, age: float) -> None:
        """Record that a cached record of this age is used."""
        self.age = max(age, self.age or 0.0)

    def refuse(self) -> None:
        """Raise `MixedRecordsError`, except in the final execution."""
        if not self._final:
            self.is_mixed = True
            raise MixedRecordsError
