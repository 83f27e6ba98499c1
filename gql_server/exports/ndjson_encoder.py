"""Tables as lines of JSON."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson
from typing_extensions import override

from gql_server.exports.stream_encoder import StreamEncoder
from gql_server.exports.table_layouts import Columns, ColumnType
from schema.engine.times import format_times
from schema.ports.table import Table


class NdjsonEncoder(StreamEncoder):
    """Encodes a table as a JSON object for each row, each in a line of its own.

    Times are RFC 3339 texts. A number that is not finite is null, because JSON has no such number.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    @override
    def start(self) -> bytes:
        return b""

    @override
    def encode(self, rows: Table) -> bytes:
        names = [name for name, _ in self._columns]
        columns = [_WRITERS[type_](rows[name]) for name, type_ in self._columns]
        # Appended one by one, because a result of orjson keeps a larger buffer than its text.
        lines = bytearray()
        for row in zip(*columns, strict=True):
            lines += orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
        return bytes(lines)

    @override
    def end(self) -> bytes:
        return b""


def _encodable(values: Sequence[str | None]) -> Sequence[str | None]:
    # A lone surrogate, which only a file store can contain, has no UTF-8 encoding.
    return [
        value if value is None or value.isascii() else value.encode(errors="replace").decode()
        for value in values
    ]


_WRITERS: Final[dict[ColumnType, Callable[[Sequence[Any]], Sequence[Any]]]] = {
    "text": _encodable,
    "time": format_times,
    "integer": lambda values: values,
    "float": lambda values: values,
}
