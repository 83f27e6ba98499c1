"""A cursor that does not fit is refused: there is no silent gap or repetition."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import numpy as np
import pytest

from gql_server.live.metric_points.point_log import PointLog
from gql_server.live.metric_points.stream_cursor import encode_cursor, resume
from gql_server.stores.point_arrays import point_array
from schema.ports.errors import BadUserInput

_SERIES = ("a", "loss")


def _log(count: int, *, first: int = 0, keys: list[str] | None = None) -> PointLog:
    log = PointLog(["a"], keys)
    points = [(step, 1_000 + step, float(step)) for step in range(first, first + count)]
    log.add(_SERIES, point_array(points, largest_is_infinite=False))
    return log


def _cursor(count: int, *, first: int = 0) -> str:
    log = _log(count, first=first)
    return encode_cursor(log, log.head)


def _pending(log: PointLog, cursor: str) -> list[int]:
    position = resume(log, cursor)
    points = log.series[0].points.all[position.pending.get(0, np.array([], np.intp))]
    return list(map(int, points["step"]))


def test_only_later_points_are_pending() -> None:
    """Of a history that grew, the new points are sent."""
    assert _pending(_log(100), _cursor(97)) == [97, 98, 99]
    assert _pending(_log(100), _cursor(100)) == []


def test_late_points_are_pending() -> None:
    """Points that arrived late, before all that were sent, are sent first."""
    assert _pending(_log(101), _cursor(95, first=5)) == [0, 1, 2, 3, 4, 100]


def test_size_does_not_depend_on_the_number_of_points() -> None:
    """A cursor has as many bytes after a long history as after a short one."""
    assert len(_cursor(20_000)) == len(_cursor(2)) < 2_500


@pytest.mark.parametrize(
    ("log", "cursor"),
    [
        (_log(9), _cursor(10)),
        (_log(0), _cursor(10)),
        (_log(1_000), _cursor(1, first=999)),
        (_log(10, keys=["loss"]), _cursor(10)),
        (_log(10, first=1), _cursor(10)),
        (_log(10), ""),
        (_log(10), "no base64: é"),
        (_log(10), _cursor(10)[:-4]),
        (_log(10), urlsafe_b64encode(b"\x02" + urlsafe_b64decode(_cursor(10))[1:]).decode()),
    ],
    ids=["fewer", "none", "too many late", "other keys", "others", "empty", "text", "cut", "version"],
)
def test_cursor_that_does_not_fit_is_refused(log: PointLog, cursor: str) -> None:
    """The error tells the client to subscribe again without the cursor."""
    with pytest.raises(BadUserInput, match="without `after`"):
        resume(log, cursor)


def test_changed_cursor_is_refused_or_harmless() -> None:
    """No change of a byte makes the server fail in another way."""
    data = bytearray(urlsafe_b64decode(_cursor(10)))
    log = _log(12)
    refused = 0
    for index in range(len(data)):
        changed = bytes(data[:index]) + bytes([data[index] ^ 0x55]) + bytes(data[index + 1 :])
        try:
            resume(log, urlsafe_b64encode(changed).decode())
        except BadUserInput:
            refused += 1
    assert refused
