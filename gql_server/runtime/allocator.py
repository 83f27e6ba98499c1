"""How the C library keeps memory that was freed."""

import ctypes
import os

_M_MMAP_THRESHOLD = -3
"""https://man7.org/linux/man-pages/man3/mallopt.3.html"""

_LARGE = 1_000_000
"""Bytes; answers and the columns that they are made of, and little else, are larger."""


def give_back_large_buffers() -> None:
    """Let large buffers go back to the system when they are freed; does nothing without glibc.

    glibc raises its threshold with the first large buffer that it sees freed, and keeps later ones: a server
    that answered with 8 MB held five times that, and one third of it with a threshold that stays.
    """
    if "MALLOC_MMAP_THRESHOLD_" in os.environ:
        return
    try:
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)
    except (OSError, AttributeError):
        return
