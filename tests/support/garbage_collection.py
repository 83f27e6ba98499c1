"""What work costs, and not what the garbage of other tests does meanwhile."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Keep the collector still, which walks through all that a process holds whenever it is due."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
