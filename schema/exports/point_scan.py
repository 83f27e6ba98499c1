"""The points of many metrics, one after the other: short histories together, a long one in parts."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from itertools import repeat
from typing import Any, Final

from schema.ports.table import Table
from schema.ports.tracking import Series, Tracking

_UNCOUNTED_AT_ONCE: Final = 20
"""The metrics read at once of a store that cannot say how long their histories are."""


async def flat_points(
    tracking: Tracking, series: list[Series], at_once: int, skip: int
) -> AsyncGenerator[Table | int, None]:
    """Give the points of metrics in their order, or how many were left out of what is to be skipped."""
    counts = await tracking.count_points(series) if series else ()
    if counts is None:
        for start in range(0, len(series), _UNCOUNTED_AT_ONCE):
            yield await _whole(tracking, series[start : start + _UNCOUNTED_AT_ONCE])
        return
    for start, stop, size in _batches(counts, at_once):
        if size <= skip:
            skip -= size
            yield size
        elif size > at_once:
            async for part in _long(tracking, series[start], at_once):
                yield part
            skip = 0
        else:
            yield await _whole(tracking, series[start:stop])
            skip = 0


def _batches(counts: Sequence[int], most: int) -> Iterable[tuple[int, int, int]]:
    """Cut a list of series into runs of them that have `most` points together; a longer one stands alone."""
    start, size = 0, 0
    for place, count in enumerate(counts):
        if size and size + count > most:
            yield start, place, size
            start, size = place, 0
        size += count
    if size:
        yield start, len(counts), size


async def _whole(tracking: Tracking, series: list[Series]) -> Table:
    found = await tracking.histories(series, None, None)
    columns: dict[str, list[Any]] = {name: [] for name in ("step", "timestamp", "value", "non_finite")}
    run_ids: list[str] = []
    keys: list[str] = []
    for (run_id, key), (start, stop) in zip(series, found.spans, strict=True):
        run_ids.extend(repeat(run_id, stop - start))
        keys.extend(repeat(key, stop - start))
        for name, column in columns.items():
            column.extend(found.rows[name][start:stop])
    return Table(len(run_ids), {"run_id": run_ids, "key": keys, **columns})


async def _long(tracking: Tracking, series: Series, at_once: int) -> AsyncGenerator[Table, None]:
    after = None
    while True:
        part = await tracking.points_after(series, after, at_once)
        if not part.size:
            return
        own = {"run_id": [series[0]] * part.size, "key": [series[1]] * part.size}
        yield Table(part.size, {**own, **{name: part[name] for name in part.columns if name != "stored"}})
        if part.size < at_once:
            return
        after = (part["step"][-1], part["timestamp"][-1], part["stored"][-1])
