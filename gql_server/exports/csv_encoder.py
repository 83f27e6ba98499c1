"""Tables as CSV (RFC 4180)."""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from typing_extensions import override

from gql_server.exports.float_values import with_float_values
from gql_server.exports.stream_encoder import StreamEncoder
from gql_server.exports.table_layouts import Columns, ColumnType
from schema.engine.times import format_times
from schema.ports.table import Table

# Spreadsheets evaluate text that starts with one of these characters as a formula.
_FORMULA_STARTS: Final = frozenset("=+-@\t\r")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class CsvEncoder(StreamEncoder):
    """Encodes a table as CSV in UTF-8 with a header line.

    Text that a spreadsheet would evaluate as a formula gets a leading apostrophe, which spreadsheets hide.
    Null is an empty field. Non-finite numbers are NaN, Infinity and -Infinity.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    @override
    def start(self) -> bytes:
        return _lines([_escape_formulas([name for name, _ in self._columns])])

    @override
    def encode(self, rows: Table) -> bytes:
        rows = with_float_values(rows)
        columns = [_WRITERS[type_](rows[name]) for name, type_ in self._columns]
        return _lines(zip(*columns, strict=True))

    @override
    def end(self) -> bytes:
        return b""


def _lines(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    # A lone surrogate, which only a file store can contain, has no UTF-8 encoding.
    return text.getvalue().encode(errors="replace")


def _escape_formulas(values: Sequence[str | None]) -> list[str | None]:
    return [_escape(text) if text and text[0] in _FORMULA_STARTS else text for text in values]


def _escape(text: str) -> str:
    return text if _NUMBER.fullmatch(text) else f"'{text}"


def _named_non_finite(values: Sequence[float | None]) -> list[float | str | None]:
    # The writer formats the other numbers. The difference is NaN for those that are not finite.
    return [value if value is None or value - value == 0 else _name(value) for value in values]


def _name(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


_WRITERS: Final[dict[ColumnType, Callable[[Sequence[Any]], Sequence[Any]]]] = {
    "text": _escape_formulas,
    "time": format_times,
    "integer": lambda values: values,
    "float": _named_non_finite,
}
