"""Cursors of streams: text from which any replica knows which points a client has got.

A client has got a set of points, and the store has that set and more: nothing is deleted from a history. The
store keeps no order of insertion, so that the set is described by its points, in a number of bytes that does
not depend on how many they are. For each series the cursor has

- a hash of the run's id and the key,
- the number of points,
- the last of them by timestamp, step and value.

For all series together it has a sketch (`PointSketch`). A resumption reads the series and divides the points
of each at the last point of the cursor:

- Those after it were not sent.
- Those up to it were sent, if the store has as many of them as the cursor says. If it has more, some of them
  arrived late, or were not yet sent although they had. The sketches of the stored points and of the cursor
  then differ by exactly these, and the hashes of up to about a hundred can be found from the difference.

Whatever else the difference is, the cursor is refused with BAD_USER_INPUT, and the client begins again
without it: a gap or a repetition is never silent. Equal points (all of step, timestamp and value) are one.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gql_server.live.metric_points.logged_points import not_after, series_hash
from gql_server.live.metric_points.point_log import PointLog, SeriesLog
from gql_server.live.metric_points.point_sketch import SKETCH_BYTES, PointSketch
from gql_server.live.metric_points.stream_position import Indexes, StreamPosition
from schema.ports.errors import BadUserInput

_VERSION: Final = b"\x01"
_SENT: Final = np.dtype(
    [("series", "<u8"), ("count", "<u4"), ("timestamp", "<i8"), ("step", "<i8"), ("rank", "<i8")]
)
_NO_KEYS: Final = "\x00"
_HEAD: Final = len(_VERSION) + 8


def encode_cursor(log: PointLog, position: StreamPosition) -> str:
    """Return the cursor of a position in a log."""
    sent = np.array(
        [
            (log.series[series].identity, count, *position.last[series])
            for series, count in position.counts.items()
        ],
        _SENT,
    )
    data = _VERSION + _selection(log) + position.sketch.to_bytes() + sent.tobytes()
    return urlsafe_b64encode(data).decode()


def resume(log: PointLog, cursor: str) -> StreamPosition:
    """Return the position of a client with a cursor, in a log that has all points of the store.

    Raise `BadUserInput` if the cursor is of other runs and keys, was changed, or cannot describe which of the
    points were sent because too many arrived late.
    """
    sent, sketch = _decode(log, cursor)
    identities = {one.identity: index for index, one in enumerate(log.series)}
    here: dict[int, NDArray[np.bool_]] = {}
    for row in sent:
        index = identities.get(int(row["series"]))
        if index is None or index in here:
            message = "The store has fewer points than this cursor."
            raise _refused(message)
        key = int(row["timestamp"]), int(row["step"]), int(row["rank"])
        here[index] = not_after(log.series[index].points.all, key)
    counts = {index: int(row["count"]) for index, row in zip(here, sent, strict=True)}
    late = sum(int(mask.sum()) for mask in here.values()) - sum(counts.values())
    if late:
        _remove_late(log.series, here, sketch, late)
    if any(int(mask.sum()) != counts[index] for index, mask in here.items()):
        message = "The store does not have the points of this cursor."
        raise _refused(message)
    last = {
        index: (int(row["timestamp"]), int(row["step"]), int(row["rank"]))
        for index, row in zip(here, sent, strict=True)
    }
    pending = {
        index: indexes
        for index, one in enumerate(log.series)
        if len(indexes := _unsent(one, here.get(index)))
    }
    taken = {index: len(one) for index, one in enumerate(log.series)}
    return StreamPosition(taken, counts, last, sketch, pending)


def _remove_late(
    series: list[SeriesLog], here: dict[int, NDArray[np.bool_]], sketch: PointSketch, late: int
) -> None:
    """Unset in the masks the points that are not in the sketch."""
    stored = PointSketch.of(series[index].points.all["hash"][mask] for index, mask in here.items())
    missing = stored.missing(sketch, late) if late > 0 else None
    if missing is None:
        message = f"{late:,} points arrived late since this cursor, too many to tell them from those before."
        raise _refused(message)
    for index, mask in here.items():
        here[index] = mask & ~np.isin(series[index].points.all["hash"], missing)


def _unsent(series: SeriesLog, is_sent: NDArray[np.bool_] | None) -> Indexes:
    """Return the indexes of the points that were not sent, by timestamp, step and value."""
    points = series.points.all
    indexes = np.arange(len(points)) if is_sent is None else np.flatnonzero(~is_sent)
    chosen = points[indexes]
    return indexes[np.lexsort((chosen["rank"], chosen["step"], chosen["timestamp"]))]


def _decode(log: PointLog, cursor: str) -> tuple[NDArray[Any], PointSketch]:
    try:
        data = urlsafe_b64decode(cursor.encode())
    except (ValueError, Base64Error):
        data = b""
    rest = data[_HEAD + SKETCH_BYTES :]
    if data[:1] != _VERSION or len(data) < _HEAD + SKETCH_BYTES or len(rest) % _SENT.itemsize:
        message = "This is not a cursor of metricPoints."
        raise _refused(message)
    if data[len(_VERSION) : _HEAD] != _selection(log):
        message = "This cursor is of other runs or keys."
        raise _refused(message)
    return np.frombuffer(rest, _SENT), PointSketch.from_bytes(data[_HEAD : _HEAD + SKETCH_BYTES])


def _selection(log: PointLog) -> bytes:
    """Return what identifies the runs and keys of a log, in any order."""
    keys = _NO_KEYS if log.keys is None else "\x01".join(sorted(log.keys))
    return series_hash(("\x01".join(sorted(log.run_ids)), keys)).to_bytes(8, "little")


def _refused(message: str) -> BadUserInput:
    return BadUserInput(f"{message} Subscribe again without `after`.")
