"""Columns as Arrow arrays.

`pyarrow.array` imports pandas, which takes 50 MB, to find out whether its argument is a series. So arrays are
made of buffers here; numpy makes these.
"""

from array import array
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from gql_server.exports.table_layouts import ColumnType

ARROW_TYPES: Final[dict[ColumnType, pa.DataType]] = {
    "text": pa.string(),
    "time": pa.timestamp("ms", tz="UTC"),
    "integer": pa.int64(),
    "float": pa.float64(),
}
_NUMPY_TYPES: Final[dict[ColumnType, type[np.generic]]] = {
    "time": np.int64,
    "integer": np.int64,
    "float": np.float64,
}
_BLANKS: Final[dict[ColumnType, Any]] = {"text": "", "time": 0, "integer": 0, "float": 0.0}
"""What the buffers have in place of a null."""
_MAX_TEXT_BYTES: Final = 2**31 - 1
"""What the offsets of Arrow's strings can address."""


def arrow_array(values: Sequence[Any], type_: ColumnType) -> pa.Array:
    """Return the values, which may be None, as an array; times are in milliseconds.

    Raises `OverflowError` for a number that the type does not have, and for texts of more than 2 GB.
    """
    has_nulls = not isinstance(values, array) and None in values
    validity = _bits([value is not None for value in values]) if has_nulls else None
    blank = _BLANKS[type_]
    present = [blank if value is None else value for value in values] if has_nulls else values
    buffers = _text_buffers(present) if type_ == "text" else [_numbers(present, type_)]
    return pa.Array.from_buffers(ARROW_TYPES[type_], len(values), [validity, *buffers])


def _bits(valid: Sequence[bool]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(np.array(valid, dtype=np.bool_), bitorder="little"))


def _numbers(values: Sequence[Any], type_: ColumnType) -> pa.Buffer:
    return pa.py_buffer(np.array(values, dtype=_NUMPY_TYPES[type_]))


def _text_buffers(values: Sequence[str]) -> list[pa.Buffer]:
    parts: Sequence[str] | list[bytes] = values
    joined = "".join(values)
    if joined.isascii():
        content = joined.encode()
    else:
        # A lone surrogate, which only a file store can contain, has no UTF-8 encoding.
        parts = [value.encode(errors="replace") for value in values]
        content = b"".join(parts)
    if len(content) > _MAX_TEXT_BYTES:
        message = f"These texts have {len(content):,} bytes, more than an Arrow array can have."
        raise OverflowError(message)
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, parts), dtype=np.int32, count=len(values)), out=offsets[1:])
    return [pa.py_buffer(offsets), pa.py_buffer(content)]
