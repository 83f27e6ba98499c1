"""Counting the comparisons of a filter string without parsing it."""

import time

import pytest

from schema.ports.errors import LimitExceeded
from schema.ports.filter_string import count_comparisons
from tests.support.garbage_collection import without_garbage_collection


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (None, 0),
        ("", 0),
        ("params.a = 'b'", 1),
        ("params.a = 'b' and metrics.c >= 1", 2),
        ("params.a = 'b' AND tags.c ILIKE '%d' and tags.e like 'f'", 3),
        ("params.a = 'b'metrics.c<1", 2),
        ("attributes.run_id NOT IN ('a', 'b') and params.c IS NOT NULL", 2),
        ("params.a = 'in = like is'", 1),
        ("""params."a=b" = 'c' and params.`d=e` != "f=g" """, 2),
        (r"params.a = 'b\' = ' and params.c = 'd'' = '", 2),
        ("params.a = 'b' -- it's = \n and params.c = 'd' /* ' = */ and params.e = 'f'", 3),
        ("params.[a'b] = 'c' and params.d = 'e' and tags.[f=g] = 'h'", 3),
        ("params.a = 'b", 1),
        ("a = 1 /* b = 2 */ c = 3 /* d = 4", 3),
    ],
)
def test_comparisons_are_counted(text: str | None, count: int) -> None:
    """Each comparison counts once, with or without `and`. Quoted text and comments do not count."""
    assert count_comparisons(text, 100) == count


def test_too_many_comparisons_are_refused() -> None:
    """The maximum number of comparisons is accepted, one more is refused."""
    assert count_comparisons("a = 1 " * 5, 5) == 5
    with pytest.raises(LimitExceeded, match="GQL_MAX_CONDITIONS"):
        count_comparisons("a = 1 " * 6, 5)


@pytest.mark.parametrize(
    "text",
    ["'", "\\'", "' ", "a = '\\'", "/*", "/*a", "'/*a", "[`/*", "-- ", "\"'", "`", "[", "a = 1 ", "''"],
)
def test_counting_is_fast(text: str) -> None:
    """A filter of the maximum length is counted in 0.1 seconds; a longer one is refused uncounted."""
    with without_garbage_collection():
        start = time.thread_time()
        count_comparisons(text * (20_000 // len(text)), 20_000)
        seconds = time.thread_time() - start
    assert seconds < 0.1
    with pytest.raises(LimitExceeded, match="20,000"):
        count_comparisons(text * 20_001, 20_000)
