"""Rows of many parents in one list, and which of them are whose."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from schema.ports.table import Span

NOTHING: Span = (0, 0)


def spans_of(parents: Sequence[Hashable]) -> dict[Any, Span]:
    """Return where each parent's rows stand, of rows that stand parent by parent."""
    return spans_by_count(Counter(parents))


def spans_by_count(counts: Mapping[Any, int]) -> dict[Any, Span]:
    """Return where each parent's rows stand, of how many each has, in their order."""
    stops = list(accumulate(counts.values()))
    return dict(zip(counts, zip([0, *stops], stops, strict=False), strict=True))


def aligned(asked: Iterable[Any], spans: Mapping[Any, Span]) -> list[Span]:
    """Return the spans in the order asked for; who has no rows gets an empty one."""
    return [spans.get(key, NOTHING) for key in asked]
