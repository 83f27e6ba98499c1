"""Histories end with the last point of their metric."""

from typing import Any

import pytest

from gql_server.cache.history_points import until_last_point
from gql_server.cache.known_runs import LastPoint

NAN = "NAN"


def _history(*points: tuple[int, int, float | None, str | None]) -> dict[str, list[Any]]:
    names = LastPoint._fields
    return {name: [point[index] for point in points] for index, name in enumerate(names)}


P1, P2, P3 = (1, 10, 0.1, None), (2, 20, 0.2, None), (3, 30, 0.3, None)
SAME_TIME = (2, 20, 0.9, None)
SAME_TIME_NAN = (2, 20, None, NAN)
SAME_TIME_INFINITE = (2, 20, None, "POSITIVE_INFINITY")


@pytest.mark.parametrize(
    ("points", "last", "expected"),
    [
        ([P1, P2], P2, [P1, P2]),
        ([P1, P2, P3], P2, [P1, P2]),
        ([P1, P2, SAME_TIME, P3], P2, [P1, P2]),
        ([P1, P2, SAME_TIME_INFINITE], P2, [P1, P2]),
        # Stores order NaN differently, so that it is not known to be later.
        ([P1, P2, SAME_TIME_NAN], P2, [P1, P2, SAME_TIME_NAN]),
        ([P2, P3], P1, []),
        ([], P1, []),
        ([P1, P2], None, [P1, P2]),
    ],
)
def test_later_points_are_left_out(points: list[Any], last: Any, expected: list[Any]) -> None:
    """A history has no point after the last one that the run had; without a last point it is complete."""
    known = last and LastPoint(*last)
    assert until_last_point(_history(*points), known, None, sampled=False) == _history(*expected)


def test_sample_ends_with_the_last_point() -> None:
    """A sample that ended with a later point ends with the last point, unless that is before `from_step`."""
    last = LastPoint(*P2)
    assert until_last_point(_history(P1, P3), last, None, sampled=True) == _history(P1, P2)
    assert until_last_point(_history(P1, P2, P3), last, 2, sampled=True) == _history(P1, P2)
    assert until_last_point(_history(P3), last, 3, sampled=True) == _history()
