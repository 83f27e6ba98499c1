"""Histories of metrics that agree with the last points of their metrics."""

from gql_server.cache.cached_lists import CachedList, row_count
from gql_server.cache.known_runs import LastPoint
from schema.ports.non_finite import FLOATS, NAN


def until_last_point(
    history: CachedList, last: LastPoint | None, from_step: int | None, *, sampled: bool
) -> CachedList:
    """Return a history without the points after the last one that the run had when the run was read.

    Another client may log points between the two reads. `history` has the points from `from_step` on, in the
    port's order. A sample ends with the last point of the longer history; it ends with `last` instead.
    """
    size = row_count(history)
    kept = size
    while last is not None and kept and _is_after(_point(history, kept - 1), last):
        kept -= 1
    if last is None or kept == size:
        return history
    points = [_point(history, index) for index in range(kept)]
    if sampled and last not in points[-1:] and (from_step is None or last.step >= from_step):
        points.append(last)
    return {name: [getattr(point, name) for point in points] for name in history}


def _point(history: CachedList, index: int) -> LastPoint:
    return LastPoint(*(history[name][index] for name in LastPoint._fields))


def _is_after(point: LastPoint, last: LastPoint) -> bool:
    if point[:2] != last[:2]:
        return point[:2] > last[:2]
    # Not true for NaN, which stores order differently.
    return _number(point) > _number(last)


def _number(point: LastPoint) -> float:
    return FLOATS[point.non_finite or NAN] if point.value is None else point.value
