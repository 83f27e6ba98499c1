"""Conversion of times between milliseconds since 1970 and RFC 3339 text."""

import re
from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from schema.ports.big_int import BIG_INT_RANGE

_RFC_3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))", re.ASCII
)
_EXPANDED = re.compile(r"([+-]\d{5,9})-(\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z)", re.ASCII)
_MS_PER_DAY = 86_400_000
# The Gregorian calendar repeats after 400 years.
_MS_PER_CYCLE = 146_097 * _MS_PER_DAY
_MIN_MS = -62_135_596_800_000  # 0001-01-01T00:00:00.000Z
_MAX_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
_LENGTH = len("2026-11-23T05:15:00.123Z")
_MIN_FOR_NUMPY = 32
"""Fewer values than this are formatted one by one, because numpy's calls would take longer."""


def format_time(milliseconds: int) -> str:
    """Format a time as RFC 3339 in UTC with milliseconds: `2026-11-23T05:15:00.123Z`.

    An MLflow store accepts any 64-bit number of milliseconds. Years of more than four digits are formatted as
    in ECMAScript, with a sign and at least six digits: `+010000-01-01T00:00:00.000Z`.
    """
    if _MIN_MS <= milliseconds <= _MAX_MS:
        seconds, rest = divmod(milliseconds, 1000)
        return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest:03d}Z"
    cycles = (milliseconds - _MIN_MS) // _MS_PER_CYCLE
    text = format_time(milliseconds - cycles * _MS_PER_CYCLE)
    year = int(text[:4]) + 400 * cycles
    return f"{year:+07d}{text[4:]}"


def format_times(values: Sequence[int | None]) -> list[str | None]:
    """Format a column of times as `format_time` does: 100,000 take 25 ms instead of 200 ms."""
    if len(values) < _MIN_FOR_NUMPY:
        return [None if value is None else format_time(value) for value in values]
    has_nulls = not isinstance(values, array) and None in values
    filled = [0 if value is None else value for value in values] if has_nulls else values
    times = np.asarray(filled, dtype=np.int64)
    if times.min() < _MIN_MS or times.max() > _MAX_MS:
        return [None if value is None else format_time(value) for value in values]
    text = _format(times).tobytes().decode("ascii")
    formatted = [text[start : start + _LENGTH] for start in range(0, len(text), _LENGTH)]
    if not has_nulls:
        return cast("list[str | None]", formatted)
    return [None if value is None else time for value, time in zip(values, formatted, strict=True)]


def _format(times: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Return the texts as rows of ASCII codes. Each date is formatted once, the time of day by arithmetic."""
    days, rest = np.divmod(times, _MS_PER_DAY)
    distinct, positions = np.unique(days, return_inverse=True)
    dates = np.datetime_as_string(distinct.astype("datetime64[D]")).astype("S10")
    text = np.empty((len(times), _LENGTH), dtype=np.uint8)
    text[:, :10] = dates.view(np.uint8).reshape(-1, 10)[positions]
    text[:, 10:] = np.frombuffer(b"T00:00:00.000Z", dtype=np.uint8)
    clock = rest.astype(np.int32)
    clock, milliseconds = np.divmod(clock, 1000)
    minutes, seconds = np.divmod(clock, 60)
    hours, minutes = np.divmod(minutes, 60)
    for column, number, width in ((11, hours, 2), (14, minutes, 2), (17, seconds, 2), (20, milliseconds, 3)):
        _write_digits(text, column, number, width)
    return text


def _write_digits(text: npt.NDArray[np.uint8], start: int, number: Any, width: int) -> None:
    """Add the digits of a number to the `0` characters from column `start` on."""
    for column in range(start + width - 1, start - 1, -1):
        number, digit = np.divmod(number, 10)
        text[:, column] += digit.astype(np.uint8)


def parse_time(text: str) -> int:
    """Parse a time with any offset to milliseconds, and drop finer digits.

    Raise `ValueError` for other text, and for a time that exceeds 64 bits, as a year of nine digits can.
    """
    match = _RFC_3339.fullmatch(text)
    if match is None:
        return _parse_expanded(text)
    date, clock, fraction, sign, hours, minutes = match.groups()
    whole = datetime.fromisoformat(f"{date}T{clock}+00:00")
    milliseconds = round(whole.timestamp()) * 1000 + int(((fraction or "") + "000")[:3])
    if sign is None:
        return milliseconds
    if int(hours) > 23 or int(minutes) > 59:  # noqa: PLR2004
        raise ValueError(text)
    offset = (int(hours) * 60 + int(minutes)) * 60_000
    return milliseconds - offset if sign == "+" else milliseconds + offset


def _parse_expanded(text: str) -> int:
    match = _EXPANDED.fullmatch(text)
    if match is None:
        raise ValueError(text)
    cycles, year = divmod(int(match[1]) - 1, 400)
    milliseconds = parse_time(f"{year + 1:04d}-{match[2]}") + cycles * _MS_PER_CYCLE
    if milliseconds not in BIG_INT_RANGE:
        raise ValueError(text)
    return milliseconds
