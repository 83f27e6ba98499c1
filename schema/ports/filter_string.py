"""The limits of MLflow's filter strings, which are the same for every store."""

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
    # Skips quoted text and comments, by the rules of sqlparse, with which MLflow parses filters.
    r"""'(?:''|\\'|[^'])*' | "(?:""|\\"|[^"])*" | `(?:``|[^`])*` | (?:--|\#\ )[^\r\n]*"""
    r"| (?P<comment> /\* ) | (?<![\w\])])\[[^\]\[]+\]"
    r"| (?P<comparison> [<>=!]+ | \b(?:i?like|in|is)\b )",
    re.IGNORECASE | re.VERBOSE,
)


def count_comparisons(filter_: str | None, limit: int) -> int:
    """Return the number of comparisons in a filter string, or slightly more; 0 for an empty filter.

    Count without parsing the filter. Raise `LimitExceeded` for more than `limit` comparisons or more than
    `MAX_FILTER_LENGTH` characters.
    """
    if not filter_:
        return 0
    if len(filter_) > MAX_FILTER_LENGTH:
        message = f"filter may have at most {MAX_FILTER_LENGTH:,} characters; where may have more."
        raise LimitExceeded(message)
    # Counting `and` is not enough: MLflow also accepts comparisons without `and` between them.
    count = sum(1 for _ in _comparisons(filter_))
    if count > limit:
        message = f"filter has more than {limit} comparisons (GQL_MAX_CONDITIONS)."
        raise LimitExceeded(message)
    return count


def _comparisons(filter_: str) -> Iterator[str]:
    position, last_end = 0, filter_.rfind(_END_OF_COMMENT)
    while match := _COMPARISONS.search(filter_, position):
        position = match.end()
        if match["comparison"] is not None:
            yield match["comparison"]
        # `/*` without an end is no comment. Comparing with the last end avoids a search for each of them.
        elif match["comment"] is not None and position <= last_end:
            position = filter_.index(_END_OF_COMMENT, position) + len(_END_OF_COMMENT)
