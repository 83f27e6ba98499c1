"""Which reads are short enough for the event loop, and how one that is not ends there."""

from typing import Final

from schema.ports.condition import AllOf, AnyOf, Condition, Not
from schema.ports.tracking import Search

SHORT: Final = 200
"""Entities of a short read: with all that was logged to them they take a few milliseconds to convert."""
SHORT_SERIES: Final = 50
"""Series of a short read; a page of a dashboard shows no more curves."""
SHORT_POINTS: Final = 10_000
"""Points of a short read: SQLite takes 8 ms for their rows, and PostgreSQL less for their arrays."""
_MAX_FILTER_LENGTH: Final = 500
"""Characters of a filter string that is parsed within half a millisecond."""
_MAX_PREDICATES: Final = 20
"""Predicates of a condition whose statement is built within a few milliseconds."""
_COMPARISON_LENGTH: Final = 20
"""Characters of a short comparison in a filter string."""
_MAX_COUNTED: Final = 1000
_TESTS_PER_CONNECTION: Final = 5_000_000
"""Tests of a predicate for a run that take a second or more: 50 predicates over 100,000 runs take a database
ten times as long as the rest of a search."""


class LongResult(Exception):
    """A read on the event loop would take too long there; a worker thread repeats it in the same snapshot."""


def is_simple(search: Search) -> bool:
    """Return whether the statement of a search may be built on the event loop."""
    return len(search.filter or "") <= _MAX_FILTER_LENGTH and (
        search.where is None or _count(search.where, _MAX_PREDICATES) <= _MAX_PREDICATES
    )


def predicates_of(search: Search) -> int:
    """Return the number of predicates that a search tests for each run."""
    text = len(search.filter or "") // _COMPARISON_LENGTH
    typed = 0 if search.where is None else _count(search.where, _MAX_COUNTED)
    return text + typed


def weight_of(predicates: int, runs: int) -> int:
    """Return the number of connections that a search through so many runs counts as."""
    return 1 + predicates * runs // _TESTS_PER_CONNECTION


def _count(condition: Condition, limit: int) -> int:
    """Count the predicates of a condition, up to more than `limit`."""
    pending, count = [condition], 0
    while pending and count <= limit:
        part = pending.pop()
        count += 1
        if isinstance(part, Not):
            pending.append(part.part)
        elif isinstance(part, AllOf | AnyOf):
            pending.extend(part.parts)
    return count
