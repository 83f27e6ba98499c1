"""The time to read a filter grows with its length, and not with the square of it."""

import contextlib
import sys
from types import FrameType
from typing import Any

import pytest

from gql_server.stores.filters.run_filters import RUN_FILTERS
from schema.ports.errors import BadUserInput

_PARTS = [
    *("params.a = 'b' AND ", "run_id IN ('a') ", "status IS NOT NULL ", "run_id IN (", "tags.f(", "a[(", "("),
    *(
        "[",
        "a.",
        "a::",
        "a+",
        "'",
        '"',
        "`",
        "\\'",
        "'\\",
        "/*",
        "-- ",
        "# ",
        "1",
        "1.",
        "1e",
        "a",
        "NOT ",
        " ",
    ),
]


def _executed_lines(text: str) -> int:
    """Return how many lines of Python run to read a filter."""
    lines = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    previous = sys.gettrace()
    sys.settrace(count)
    try:
        with contextlib.suppress(BadUserInput):
            RUN_FILTERS.parse(text)
    finally:
        sys.settrace(previous)
    return lines


@pytest.mark.parametrize("part", _PARTS)
def test_time_is_linear_in_the_length(part: str) -> None:
    """Eight times the text takes at most about eight times the steps."""
    _executed_lines(part)  # Python compiles regular expressions at their first use.
    assert _executed_lines(part * 800) < 10 * _executed_lines(part * 100) + 1000
