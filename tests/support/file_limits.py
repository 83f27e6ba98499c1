"""A disk that is full for one process: the kernel refuses larger files, with EFBIG in place of ENOSPC."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def files_limited_to(size: int, process: int = 0) -> Iterator[None]:
    """Limit the files that a process writes to this number of bytes; 0 is this process."""
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, before)
