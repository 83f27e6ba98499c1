"""Measurements of time that garbage of other tests does not affect."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Disable the collector, which traverses all objects of the process whenever it runs."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
