"""Errors of a disk without space."""

import errno
from typing import Final

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""The disk, the user's quota or the process's limit for a file leaves no space."""


def is_full_disk(error: BaseException) -> bool:
    """Return whether an error means that a file does not fit on its disk."""
    return isinstance(error, OSError) and error.errno in _FULL
