"""Which runs have ended, as far as was seen."""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from typing import Any

from schema.ports.table import Table

ENDING = frozenset({"run_id", "status", "ended_at"})
"""The columns that tell."""

_FINAL = frozenset({"FINISHED", "FAILED", "KILLED"})


def end_of(status: Any, ended_at: int | None) -> int | None:
    """Return when a run ended; None where it goes on, or where the store does not say both."""
    return ended_at if status in _FINAL else None


class FinishedRuns:
    """When runs ended, by id; the `most` that were seen or asked for last, 250 bytes each.

    A run may be resumed. Then it has no end until it ends again, at another time: the end of a run tells
    what was read of it before from what was read after.
    """

    def __init__(self, *, most: int = 50_000) -> None:
        self._most = most
        self._ends: OrderedDict[str, int | None] = OrderedDict()

    def learn(self, runs: Table) -> None:
        """Take over what these runs say of themselves; the table has the columns ENDING."""
        if not runs.size:
            return
        for run_id, status, ended_at in zip(runs["run_id"], runs["status"], runs["ended_at"], strict=True):
            self._ends[run_id] = end_of(status, ended_at)
            self._ends.move_to_end(run_id)
        while len(self._ends) > self._most:
            self._ends.popitem(last=False)

    def ends(self, run_ids: Collection[str]) -> list[int | None]:
        """Return when each run ended; None where it runs or was never seen."""
        for run_id in run_ids:
            if run_id in self._ends:
                self._ends.move_to_end(run_id)
        return [self._ends.get(run_id) for run_id in run_ids]

    def agrees(self, run_id: str, end: int | None) -> bool:
        """Say whether nothing was seen of a run since that contradicts this end."""
        return run_id not in self._ends or self._ends[run_id] == end

    def forget(self, run_ids: Iterable[str]) -> None:
        """Know nothing of these runs any more."""
        for run_id in run_ids:
            self._ends.pop(run_id, None)
