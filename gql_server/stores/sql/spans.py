"""Spans: the part of a list of rows that belongs to each parent."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from schema.ports.table import Span

_EMPTY: Span = (0, 0)


def spans_of(parents: Sequence[Hashable]) -> dict[Any, Span]:
    """Return each parent's span, from the parent of each row; the rows of a parent are consecutive."""
    return spans_by_count(Counter(parents))


def spans_by_count(counts: Mapping[Any, int]) -> dict[Any, Span]:
    """Return each parent's span, from the number of rows of each parent, in the order of the rows."""
    stops = list(accumulate(counts.values()))
    return dict(zip(counts, zip([0, *stops], stops, strict=False), strict=True))


def aligned(parents: Iterable[Any], spans: Mapping[Any, Span]) -> list[Span]:
    """Return the spans in the order of the parents; a parent without rows has an empty span."""
    return [spans.get(parent, _EMPTY) for parent in parents]
