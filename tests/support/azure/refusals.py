"""The requests that the service refuses, by its support matrix; written from the article, not from the code.

The checks read the strings of requests. They return accepted filters in the syntax of the upstream MLflow
server: without quotes around numbers, and with statuses in capital letters.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

STATUSES = ("Scheduled", "Running", "Finished", "Failed", "Killed")
NUMBERS = ("start_time", "end_time", "creation_time", "created")
MAX_PAGE_SIZE = 1000
"""The service's staff mentions "a limit of 1000 rows": no response has more, for any requested number."""
MAX_POINTS_PER_PAGE = 999
"""Points of a history; the service's message is "MaxResults must be less than 1000"."""

_COMPARISON = re.compile(
    r"""\s*(?:(?P<entity>[A-Za-z_]+)\.)?(?P<key>`[^`]*`|"[^"]*"|[^\s=!<>`"']+)\s*
    (?P<operator>!=|>=|<=|=|>|<|NOT\s+IN\b|IN\b|I?LIKE\b|IS\s+NOT\s+NULL\b|IS\s+NULL\b)\s*
    (?P<value>\([^)]*\)|'[^']*'|"[^"]*"|[^\s]+)?\s*
    (?P<and>AND\b|$)""",
    re.IGNORECASE | re.VERBOSE,
)
_ATTRIBUTES = {"attribute", "attributes", "attr", "run", ""}


class Refused(Exception):
    """The service refuses the request with status 400."""


@dataclass(frozen=True)
class Comparison:
    """One comparison of a filter; the entity is singular, and empty if the filter names none."""

    entity: str
    key: str
    operator: str
    value: str


@dataclass(frozen=True)
class Edition:
    """The differences between the editions of the matrix."""

    year: str
    attributes: bool
    """Whether runs can be filtered and ordered by any attribute."""
    like: bool


NEWER = Edition("2024", attributes=True, like=True)
OLDER = Edition("2022", attributes=False, like=False)


def check_order(order_by: Sequence[str], edition: Edition) -> None:
    """Refuse orders by logged values; in the older edition, all orders but those by times."""
    for entry in order_by:
        entity, dot, key = entry.strip().partition(".")
        entity, key = (entity, key) if dot else ("", entity)
        if entity.lower().rstrip("s") in {"metric", "param", "parameter", "tag"}:
            message = f"Order by '{entry}' is not supported."
            raise Refused(message)
        name = key.split()[0].strip('`"')
        if not edition.attributes and name not in {"start_time", "end_time"}:
            message = f"Order by '{entry}' is not supported."
            raise Refused(message)


def check_runs_filter(text: str, edition: Edition) -> str:
    """Refuse unsupported filters of runs; return the filter in the upstream server's syntax."""
    return _checked(text, lambda comparison: _run_comparison(comparison, edition))


def check_experiments_filter(text: str, edition: Edition) -> str:
    """Refuse unsupported filters of experiments; the matrix only has rules for text comparisons."""
    return _checked(text, lambda comparison: _text_comparison(comparison, edition) or _plain(comparison))


def _checked(text: str, rewrite: Callable[[Comparison], str]) -> str:
    parts: list[str] = []
    position = 0
    while position < len(text):
        match = _COMPARISON.match(text, position)
        if match is None or (match["and"] == "" and match.end() < len(text)):
            message = f"Currently unsupported filter string format: {text}"
            raise Refused(message)
        entity = (match["entity"] or "").lower().rstrip("s")
        operator = " ".join(match["operator"].upper().split())
        parts.append(rewrite(Comparison(entity, match["key"], operator, match["value"] or "")))
        position = match.end()
        if match["and"] and not text[position:].strip():
            message = f"Currently unsupported filter string format: {text}"
            raise Refused(message)
    return " AND ".join(parts)


def _plain(comparison: Comparison) -> str:
    name = f"{comparison.entity}s.{comparison.key}" if comparison.entity else comparison.key
    return f"{name} {comparison.operator} {comparison.value}".strip()


def _run_comparison(comparison: Comparison, edition: Edition) -> str:
    if comparison.entity == "metric":
        if comparison.key[0] in '`"':
            message = f"Metric names with special characters are not supported: {comparison.key}"
            raise Refused(message)
        return _plain(comparison)
    if comparison.entity in {"param", "parameter", "tag"}:
        return _text_comparison(comparison, edition) or _plain(comparison)
    if comparison.entity in _ATTRIBUTES:
        return _attribute(comparison, edition)
    message = f"Filtering by {comparison.entity} is not supported."
    raise Refused(message)


def _text_comparison(comparison: Comparison, edition: Edition) -> str | None:
    allowed = {"=", "!="} | ({"LIKE", "ILIKE"} if edition.like else set())
    if comparison.entity in {"param", "parameter", "tag"} and comparison.operator not in allowed:
        message = f"The operator {comparison.operator} is not supported."
        raise Refused(message)
    if comparison.entity == "tag" and comparison.operator == "!=":
        message = "The operator != is not supported for tags."
        raise Refused(message)
    if not edition.like and comparison.operator in {"LIKE", "ILIKE"}:
        message = f"The operator {comparison.operator} is not supported."
        raise Refused(message)
    return None


def _attribute(comparison: Comparison, edition: Edition) -> str:
    key = comparison.key.strip('`"')
    # An example of both editions of the article, although the older matrix does not support attributes.
    if key == "run_id" and comparison.operator == "IN":
        return _plain(comparison)
    if not edition.attributes:
        message = f"Filtering by attributes.{key} is not supported."
        raise Refused(message)
    quoted = re.fullmatch(r"'.*'|\".*\"", comparison.value, re.DOTALL)
    if comparison.operator not in {"IN", "NOT IN"} and not quoted:
        message = f"Values of attributes must be strings, in quotes: {comparison.value}"
        raise Refused(message)
    _text_comparison(comparison, edition)
    value = comparison.value
    if key in NUMBERS:
        value = value[1:-1]
    if key == "status":
        inner = value[1:-1]
        # A status in another spelling is not an error, but matches no run.
        value = f"'{inner.upper() if inner in STATUSES else 'no such status: ' + inner}'"
    return f"attributes.{comparison.key} {comparison.operator} {value}".strip()


def check_points(size: Any) -> None:
    """Refuse a page size above the maximum for points of a history."""
    if size is not None and int(size) > MAX_POINTS_PER_PAGE:
        message = f"MaxResults = {size} is invalid: MaxResults must be less than {MAX_POINTS_PER_PAGE + 1}."
        raise Refused(message)


def check_models_filter(text: str) -> None:
    """Refuse unsupported searches for registered models: by tags, and by parts of names."""
    if re.search(r"\btags?\b|\bI?LIKE\b", text, re.IGNORECASE):
        message = "Currently unsupported filter string format"
        raise Refused(message)
