"""What the service refuses, row by row of its support matrix; written from the article, not from this server.

It works on the texts that come over the wire. What is let through is put into the words of the MLflow server
behind: quoted numbers lose their quotes, statuses become capitals.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

STATUSES = ("Scheduled", "Running", "Finished", "Failed", "Killed")
NUMBERS = ("start_time", "end_time", "creation_time", "created")
LARGEST_PAGE = 1000
"""The service's staff speaks of "a limit of 1000 rows": however many are asked for, no more come at once."""
MOST_POINTS = 999
"""Of a metric's history: "MaxResults must be less than 1000", the service once said."""

_COMPARISON = re.compile(
    r"""\s*(?:(?P<entity>[A-Za-z_]+)\.)?(?P<key>`[^`]*`|"[^"]*"|[^\s=!<>`"']+)\s*
    (?P<operator>!=|>=|<=|=|>|<|NOT\s+IN\b|IN\b|I?LIKE\b|IS\s+NOT\s+NULL\b|IS\s+NULL\b)\s*
    (?P<value>\([^)]*\)|'[^']*'|"[^"]*"|[^\s]+)?\s*
    (?P<and>AND\b|$)""",
    re.IGNORECASE | re.VERBOSE,
)
_ATTRIBUTES = {"attribute", "attributes", "attr", "run", ""}


class Refused(Exception):
    """The service does not take this; it answers 400."""


@dataclass(frozen=True)
class Comparison:
    """One comparison of a filter; the entity is singular and empty where none was named."""

    entity: str
    key: str
    operator: str
    value: str


@dataclass(frozen=True)
class Edition:
    """What differs between the editions of the matrix."""

    year: str
    attributes: bool
    """Whether runs are filtered and ordered by any attribute."""
    like: bool


NEWER = Edition("2024", attributes=True, like=True)
OLDER = Edition("2022", attributes=False, like=False)


def check_order(order_by: Sequence[str], edition: Edition) -> None:
    """Refuse orders by what was logged; by the older edition, by all but the times of a run."""
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
    """Refuse what runs cannot be filtered by; return the filter in the words of the MLflow server behind."""
    return _checked(text, lambda found: _run_comparison(found, edition))


def check_experiments_filter(text: str, edition: Edition) -> str:
    """Refuse what experiments cannot be filtered by; the matrix speaks of text comparisons alone."""
    return _checked(text, lambda found: _text_comparison(found, edition) or _plain(found))


def _checked(text: str, rewrite: Callable[[Comparison], str]) -> str:
    parts: list[str] = []
    place = 0
    while place < len(text):
        found = _COMPARISON.match(text, place)
        if found is None or (found["and"] == "" and found.end() < len(text)):
            message = f"Currently unsupported filter string format: {text}"
            raise Refused(message)
        entity = (found["entity"] or "").lower().rstrip("s")
        operator = " ".join(found["operator"].upper().split())
        parts.append(rewrite(Comparison(entity, found["key"], operator, found["value"] or "")))
        place = found.end()
        if found["and"] and not text[place:].strip():
            message = f"Currently unsupported filter string format: {text}"
            raise Refused(message)
    return " AND ".join(parts)


def _plain(found: Comparison) -> str:
    name = f"{found.entity}s.{found.key}" if found.entity else found.key
    return f"{name} {found.operator} {found.value}".strip()


def _run_comparison(found: Comparison, edition: Edition) -> str:
    if found.entity == "metric":
        if found.key[0] in '`"':
            message = f"Metric names with special characters are not supported: {found.key}"
            raise Refused(message)
        return _plain(found)
    if found.entity in {"param", "parameter", "tag"}:
        return _text_comparison(found, edition) or _plain(found)
    if found.entity in _ATTRIBUTES:
        return _attribute(found, edition)
    message = f"Filtering by {found.entity} is not supported."
    raise Refused(message)


def _text_comparison(found: Comparison, edition: Edition) -> str | None:
    allowed = {"=", "!="} | ({"LIKE", "ILIKE"} if edition.like else set())
    if found.entity in {"param", "parameter", "tag"} and found.operator not in allowed:
        message = f"The operator {found.operator} is not supported."
        raise Refused(message)
    if found.entity == "tag" and found.operator == "!=":
        message = "The operator != is not supported for tags."
        raise Refused(message)
    if not edition.like and found.operator in {"LIKE", "ILIKE"}:
        message = f"The operator {found.operator} is not supported."
        raise Refused(message)
    return None


def _attribute(found: Comparison, edition: Edition) -> str:
    key = found.key.strip('`"')
    # The article's own example, in both editions, where the older one's matrix says no to attributes.
    if key == "run_id" and found.operator == "IN":
        return _plain(found)
    if not edition.attributes:
        message = f"Filtering by attributes.{key} is not supported."
        raise Refused(message)
    if found.operator not in {"IN", "NOT IN"} and not re.fullmatch(r"'.*'|\".*\"", found.value):
        message = f"Values of attributes must be strings, in quotes: {found.value}"
        raise Refused(message)
    _text_comparison(found, edition)
    value = found.value
    if key in NUMBERS:
        value = value[1:-1]
    if key == "status":
        inner = value[1:-1]
        # A status that is not spelled as the service does is no error; there just is no such status.
        value = f"'{inner.upper() if inner in STATUSES else 'no such status: ' + inner}'"
    return f"attributes.{found.key} {found.operator} {value}".strip()


def check_points(size: Any) -> None:
    """Refuse to tell more points of a history than it does at once."""
    if size is not None and int(size) > MOST_POINTS:
        message = f"MaxResults = {size} is invalid: MaxResults must be less than {MOST_POINTS + 1}."
        raise Refused(message)


def check_models_filter(text: str) -> None:
    """Refuse what registered models cannot be searched by: tags, and parts of names."""
    if re.search(r"\btags?\b|\bI?LIKE\b", text, re.IGNORECASE):
        message = "Currently unsupported filter string format"
        raise Refused(message)
