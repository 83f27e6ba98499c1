"""The columns of runs in flat rows, read for whole pages of runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from schema.ports.columns import Columns
from schema.ports.condition import PARENT_TAG
from schema.ports.milliseconds import seconds_between
from schema.ports.related_rows import run_values, settled
from schema.ports.table import Table
from schema.ports.tracking import Tracking

_STORED: Final[Mapping[str, Sequence[str]]] = {
    "run_id": ("run_id",),
    "experiment_id": ("experiment_id",),
    "experiment_name": ("experiment_id",),
    "run_name": ("name",),
    "status": ("status",),
    "lifecycle_stage": ("lifecycle_stage",),
    "user_id": ("user_id",),
    "started_at": ("started_at",),
    "ended_at": ("ended_at",),
    "duration_seconds": ("started_at", "ended_at"),
    "parent_run_id": ("tags",),
    "artifact_uri": ("artifact_uri",),
}
"""The store's columns that each column is made of."""

RUN_COLUMNS: Final = tuple(_STORED)


class RunColumns:
    """Reads the requested ones of `RUN_COLUMNS` for pages of runs; other names are ignored.

    Names of experiments are read once for each experiment, and those of a page in one call.
    """

    def __init__(self, tracking: Tracking, requested: Iterable[str]) -> None:
        self._tracking = tracking
        wanted = frozenset(requested)
        self._requested = [name for name in RUN_COLUMNS if name in wanted]
        self._experiment_names: dict[str, str] = {}

    @property
    def stored(self) -> Columns:
        """Return the columns of the store that a page of runs must have."""
        names = {"run_id", *(column for name in self._requested for column in _STORED[name])}
        return Columns(names, {"tags": frozenset((PARENT_TAG,))} if "tags" in names else {})

    async def read(self, runs: Table) -> dict[str, Sequence[Any]]:
        """Return the requested columns of a page, by name."""
        return {name: await self._column(name, runs) for name in self._requested}

    async def _column(self, name: str, runs: Table) -> Sequence[Any]:
        if name == "experiment_name":
            return await self._names_of(runs["experiment_id"])
        if name == "duration_seconds":
            return seconds_between(runs["started_at"], runs["ended_at"])
        if name == "parent_run_id":
            return await settled(run_values(self._tracking, runs, "tags", PARENT_TAG))
        (stored,) = _STORED[name]
        column: Sequence[Any] = runs[stored]
        return column

    async def _names_of(self, ids: Sequence[str]) -> Sequence[str]:
        names = self._experiment_names
        missing = [id_ for id_ in dict.fromkeys(ids) if id_ not in names]
        if missing:
            result = await self._tracking.experiments_by_id(missing, {"experiment_id", "name"})
            indexes = zip(missing, result.index, strict=True)
            names |= {id_: result.rows["name"][index] for id_, index in indexes if index is not None}
        return [names.get(id_, "") for id_ in ids]
