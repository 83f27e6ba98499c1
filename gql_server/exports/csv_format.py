"""Tables as CSV, by RFC 4180."""

import csv
import io
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from gql_server.exports.table_layouts import Columns, Type
from schema.engine.times import format_times
from schema.ports.table import Table

# A spreadsheet takes a text that begins so for a formula, and runs it; a number may begin so.
_FORMULA: Final = re.compile(r"[=+\-@\t\r]")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class CsvFormat:
    """Writes parts of a table as lines of CSV in UTF-8, the first with the columns' names.

    Text that a spreadsheet would take for a formula gets an apostrophe before it, which spreadsheets hide.
    What is missing is an empty field. Values that are not finite are NaN, Infinity and -Infinity.
    """

    media_type = "text/csv; charset=utf-8; header=present"

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def begin(self) -> bytes:
        """Return the line of names."""
        return _lines([[_harmless(name) for name, _ in self._columns]])

    def part(self, table: Table) -> bytes:
        """Return the lines of some rows."""
        columns = [_WRITERS[type_](table[name]) for name, type_ in self._columns]
        return _lines(zip(*columns, strict=True))

    def end(self) -> bytes:
        """Return nothing: CSV has no end."""
        return b""


def _lines(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    # A lone surrogate, which only a file store can hold, has no UTF-8.
    return text.getvalue().encode(errors="replace")


def _harmless(text: str | None) -> str | None:
    if text and _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


_WRITERS: Final[dict[Type, Callable[[Sequence[Any]], Sequence[Any]]]] = {
    "text": lambda values: list(map(_harmless, values)),
    "time": format_times,
    "whole": lambda values: values,
    "number": lambda values: list(map(_number, values)),
    "value": lambda values: list(map(_number, values)),
}
