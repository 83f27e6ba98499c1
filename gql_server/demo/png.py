"""Line plots as PNG files, drawn without a graphics library."""

from __future__ import annotations

import math
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 320
HEIGHT = 160

_MARGIN = 8
_GREY, _FIRST_COLOUR = 1, 2
_PALETTE = bytes.fromhex("ffffff c0c0c0 1f77b4 ff7f0e 2ca02c d62728")
_COLOURS = len(_PALETTE) // 3 - _FIRST_COLOUR


def line_plot(*curves: Sequence[float]) -> bytes:
    """Return a plot of up to four curves in one frame, without the points that are not finite."""
    rows = [bytearray(WIDTH) for _ in range(HEIGHT)]
    _frame(rows)
    finite = [value for curve in curves for value in curve if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    for number, curve in enumerate(curves):
        _draw(rows, curve, low, (high - low) or 1.0, _FIRST_COLOUR + number % _COLOURS)
    return _encode(rows)


def _frame(rows: list[bytearray]) -> None:
    for x in range(_MARGIN, WIDTH - _MARGIN):
        rows[_MARGIN][x] = rows[HEIGHT - _MARGIN - 1][x] = _GREY
    for y in range(_MARGIN, HEIGHT - _MARGIN):
        rows[y][_MARGIN] = rows[y][WIDTH - _MARGIN - 1] = _GREY


def _draw(rows: list[bytearray], curve: Sequence[float], low: float, span: float, colour: int) -> None:
    across, up = WIDTH - 2 * _MARGIN - 1, HEIGHT - 2 * _MARGIN - 1
    last: int | None = None
    for x in range(across + 1):
        value = curve[round(x * (len(curve) - 1) / across)]
        if not math.isfinite(value):
            last = None
            continue
        y = HEIGHT - _MARGIN - 1 - round((value / span - low / span) * up)
        start = y if last is None else last
        for filled in range(min(start, y), max(start, y) + 1):
            rows[filled][_MARGIN + x] = colour
        last = y


def _encode(rows: list[bytearray]) -> bytes:
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 4, 3, 0, 0, 0)
    lines = b"".join(b"\0" + _four_bits(row) for row in rows)
    chunks = ((b"IHDR", header), (b"PLTE", _PALETTE), (b"IDAT", _stored(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _four_bits(row: bytearray) -> bytes:
    return bytes(row[x] << 4 | row[x + 1] for x in range(0, WIDTH, 2))


def _stored(content: bytes) -> bytes:
    # One stored block of deflate (RFC 1951, 3.2.4), of at most 65,535 bytes. Versions of zlib compress to
    # different sizes, but the sizes of the demo's artifacts must be the same on every machine.
    size = len(content)
    block = struct.pack("<BHH", 1, size, size ^ 0xFFFF) + content
    return b"\x78\x01" + block + struct.pack(">I", zlib.adler32(content))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
