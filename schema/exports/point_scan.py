"""Reading the points of many metrics in order: short histories in batches, long histories in parts."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from itertools import repeat
from typing import Any, Final

from schema.ports.table import Table
from schema.ports.tracking import Series, Tracking

_SERIES_PER_CALL: Final = 20
"""The number of histories to read in one call from a store that cannot count points."""


async def scan_points(
    tracking: Tracking, series: list[Series], points_per_chunk: int, skip: int
) -> AsyncGenerator[Table | int, None]:
    """Yield the points of the series in order, as tables of up to `points_per_chunk` rows.

    Histories that are entirely within the first `skip` points are not read: yield their number of points
    instead. The caller drops the remaining points to skip. A store that cannot count points is read from the
    first point on, in tables of `_SERIES_PER_CALL` histories of any length.
    """
    counts = await tracking.count_points(series) if series else ()
    if counts is None:
        for start in range(0, len(series), _SERIES_PER_CALL):
            yield await _read_histories(tracking, series[start : start + _SERIES_PER_CALL])
        return
    for start, stop, size in _batches(counts, points_per_chunk):
        if size <= skip:
            skip -= size
            yield size
        elif size > points_per_chunk:
            async for part in _read_long_history(tracking, series[start], points_per_chunk):
                yield part
            skip = 0
        else:
            yield await _read_histories(tracking, series[start:stop])
            skip = 0


def _batches(counts: Sequence[int], max_points: int) -> Iterable[tuple[int, int, int]]:
    """Yield the start, stop and total points of batches of consecutive series.

    A batch has at most `max_points` points, or it has one series with more.
    """
    start, size = 0, 0
    for index, count in enumerate(counts):
        if size and size + count > max_points:
            yield start, index, size
            start, size = index, 0
        size += count
    if size:
        yield start, len(counts), size


async def _read_histories(tracking: Tracking, series: list[Series]) -> Table:
    histories = await tracking.histories(series, None, None)
    columns: dict[str, list[Any]] = {name: [] for name in ("step", "timestamp", "value", "non_finite")}
    run_ids: list[str] = []
    keys: list[str] = []
    for (run_id, key), (start, stop) in zip(series, histories.spans, strict=True):
        run_ids.extend(repeat(run_id, stop - start))
        keys.extend(repeat(key, stop - start))
        for name, column in columns.items():
            column.extend(histories.rows[name][start:stop])
    return Table(len(run_ids), {"run_id": run_ids, "key": keys, **columns})


async def _read_long_history(
    tracking: Tracking, series: Series, points_per_chunk: int
) -> AsyncGenerator[Table, None]:
    run_id, key = series
    after = None
    while True:
        part = await tracking.points_after(series, after, points_per_chunk)
        if not part.size:
            return
        columns = {name: part[name] for name in part.columns if name != "stored"}
        yield Table(part.size, {"run_id": [run_id] * part.size, "key": [key] * part.size, **columns})
        if part.size < points_per_chunk:
            return
        after = (part["step"][-1], part["timestamp"][-1], part["stored"][-1])
