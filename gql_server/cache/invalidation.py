"""Marks: how a mutation makes entries invalid at once, in every replica, without knowing their keys.

Each thing falls into one of a few slots, and each slot has a mark in the cache, a random text. An entry
carries the mark that its slot had before the store was read, and counts only while the two are equal. So a
new mark ends all entries of its slot, also those that a reading from before the mutation is about to write,
and a mark that the cache lost ends them too.
"""

import os
from collections.abc import Iterable
from zlib import crc32

MARK_BYTES = 8
MARK_SECONDS = 86_400.0
"""Long beside the lives of entries; a mark that ends costs one reading of what is in its slot."""

_SLOTS = 64
"""A mutation of one run ends the entries of a 64th of all runs; a page of runs reads 64 marks at most."""

ANYTHING = 0
"""The slot of what any mutation may change: searches, counts and whole answers."""

ALL_SLOTS = range(_SLOTS + 1)

NAMES = tuple(f"mark:{slot}" for slot in ALL_SLOTS)


def slot_of(thing: str) -> int:
    """Return the slot of an experiment or a run, by its id."""
    return 1 + crc32(thing.encode("utf-8", "surrogatepass")) % _SLOTS


def slots_of(things: Iterable[str]) -> set[int]:
    """Return the slots that a mutation of these things changes."""
    return {ANYTHING, *map(slot_of, things)}


def new_mark() -> bytes:
    """Return a mark that no entry carries yet."""
    return os.urandom(MARK_BYTES)
