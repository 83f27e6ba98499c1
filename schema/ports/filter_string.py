"""MLflow's filter strings: how long one may be and how many comparisons it may make, whatever the store."""

import re
from collections.abc import Iterator
from typing import Final

from schema.ports.errors import LimitExceeded

MAX_FILTER_LENGTH: Final = 20_000
"""The maximum characters of one filter. MLflow's parser takes 0.2 seconds for these, and seconds for more."""
MAX_TOTAL_FILTER_LENGTH: Final = 60_000
"""The maximum characters of all filters of one operation."""
_END_OF_COMMENT: Final = "*/"
_COMPARISONS: Final = re.compile(
    # What is quoted or a comment is left out, by the rules of the parser that MLflow reads filters with.
    r"""'(?:''|\\'|[^'])*' | "(?:""|\\"|[^"])*" | `(?:``|[^`])*` | (?:--|\#\ )[^\r\n]*"""
    r"| (?P<comment> /\* ) | (?<![\w\])])\[[^\]\[]+\]"
    r"| (?P<comparison> [<>=!]+ | \b(?:i?like|in|is)\b )",
    re.IGNORECASE | re.VERBOSE,
)


def count_comparisons(filter_: str | None, most: int) -> int:
    """Return how many comparisons a filter string makes, or a few more; none where there is none.

    They are counted before the filter is parsed. Raises `LimitExceeded` for more than `most` of them, and for
    a filter that is too long to be parsed.
    """
    if not filter_:
        return 0
    if len(filter_) > MAX_FILTER_LENGTH:
        message = f"filter may have at most {MAX_FILTER_LENGTH:,} characters; where may hold more."
        raise LimitExceeded(message)
    # MLflow takes comparisons with no `and` between them, too, so it is them that are counted.
    found = sum(1 for _ in _comparisons(filter_))
    if found > most:
        message = f"filter makes more than {most} comparisons (GQL_MAX_CONDITIONS)."
        raise LimitExceeded(message)
    return found


def _comparisons(filter_: str) -> Iterator[str]:
    place, last_end = 0, filter_.rfind(_END_OF_COMMENT)
    while match := _COMPARISONS.search(filter_, place):
        place = match.end()
        if match["comparison"] is not None:
            yield match["comparison"]
        # One without an end is none, and its end is not looked for again and again.
        elif match["comment"] is not None and place <= last_end:
            place = filter_.index(_END_OF_COMMENT, place) + len(_END_OF_COMMENT)
