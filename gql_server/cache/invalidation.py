"""Invalidation of cache entries by marks.

A write must invalidate all entries that it affects, in every replica, without knowing their keys. So each
experiment and run belongs to one of a few slots, by a hash of its id, and each slot has a mark in the cache:
a random value under its own key.

- A reader reads the mark together with the entries, before it reads the store.
- Each entry carries the mark that its reader read. An entry is valid only while its mark equals the slot's.
- A write sets a new mark for each slot that it affects, after the store has applied it.

A new mark invalidates all entries of the slot. That includes an entry of a reader that read the store before
the write and stores its result after it, since this entry carries the old mark. A mark that the cache has
lost is replaced by a new one, so a loss invalidates the slot too.
"""

import os
from collections.abc import Iterable
from zlib import crc32

MARK_BYTES = 8
MARK_TTL_SECONDS = 86_400.0
"""Longer than any entry's TTL; when a mark expires, its slot is invalidated once."""

_SLOTS = 64
"""A write to one run invalidates a 64th of all runs' entries; a page of runs reads up to 64 marks."""

SHARED_SLOT = 0
"""The slot of entries that any write may affect: searches, counts and whole responses."""

ALL_SLOTS = range(_SLOTS + 1)

MARK_KEYS = tuple(f"mark:{slot}" for slot in ALL_SLOTS)
"""The cache key of each slot's mark."""


def slot_of(entity_id: str) -> int:
    """Return the slot of an experiment or a run."""
    return 1 + crc32(entity_id.encode("utf-8", "surrogatepass")) % _SLOTS


def affected_slots(entity_ids: Iterable[str]) -> set[int]:
    """Return the slots that a write to these experiments and runs affects."""
    return {SHARED_SLOT, *map(slot_of, entity_ids)}


def new_mark() -> bytes:
    """Return a mark that no entry has."""
    return os.urandom(MARK_BYTES)
