"""Settings of the C library's memory allocator."""

import ctypes
import os

_M_MMAP_THRESHOLD = -3
"""https://man7.org/linux/man-pages/man3/mallopt.3.html"""

_THRESHOLD_BYTES = 1_000_000
"""Less than the size of large responses and their columns; few other objects are larger."""


def return_large_buffers() -> None:
    """Have glibc return large buffers to the system when they are freed; without glibc do nothing.

    glibc raises its threshold when the first large buffer is freed, and caches later ones. After
    responses of 8 MB the process then used five times their size; with a fixed threshold it uses a third of
    that.
    """
    if "MALLOC_MMAP_THRESHOLD_" in os.environ:
        return
    try:
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _THRESHOLD_BYTES)
    except (OSError, AttributeError):
        return
