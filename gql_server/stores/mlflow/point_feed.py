"""New points in stores that MLflow's client reads: found by the last points of metrics."""

from collections.abc import Collection, Mapping, Sequence

from typing_extensions import override

from schema.ports.point_feed import SeriesStates
from schema.ports.table import Many
from schema.ports.tracking import Series, Tracking

_LAST_POINT = ("step", "timestamp", "value", "non_finite")


class LastPointFeed(Tracking):
    """The part of the port that finds new points, by the other parts.

    MLflow's interface neither counts points nor returns those after a position of many series. A changed
    series is read as a whole, with as few requests as histories are.
    """

    @override
    async def series_states(self, run_ids: Sequence[str], keys: Collection[str] | None) -> SeriesStates:
        runs = await self.runs_by_id(run_ids, {"run_id", "status"})
        statuses = {
            run_id: runs.rows["status"][index]
            for run_id, index in zip(run_ids, runs.index, strict=True)
            if index is not None
        }
        last = (await self.metrics(list(statuses), keys)).rows
        names = zip(last["run_id"], last["key"], strict=True)
        marks = dict(zip(names, zip(*(last[name] for name in _LAST_POINT), strict=True), strict=True))
        return SeriesStates(statuses, marks, counted=False)

    @override
    async def points_from(self, series: Mapping[Series, int | None]) -> Many:
        return await self.histories(list(series), None, None)
