"""Predicates as clauses of MLflow's filter strings, so that the store excludes rows that do not match.

A clause may match more rows than its predicate, never fewer: this server tests the rows again.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gql_server.stores.filters.comparison import NULL_TESTS, OPERATORS
from gql_server.stores.filters.experiment_filters import EXPERIMENT_FILTERS
from gql_server.stores.filters.rules import FilterRules
from gql_server.stores.filters.run_filters import RUN_FILTERS
from gql_server.stores.pushdown.capabilities import Capabilities
from schema.ports.condition import PARENT_TAG, Predicate
from schema.ports.errors import BadUserInput
from schema.ports.non_finite import LARGEST_FLOAT

_OPERATORS = {operator: text for text, operator in OPERATORS.items()}
_UNQUOTED_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
"""Keys that usually need no quotes; some are keywords of the syntax."""
_ID = re.compile(r"[\w\-]+")


@dataclass(frozen=True, slots=True)
class FilterSyntax:
    """The filter syntax of runs or experiments: MLflow's names of the port's attributes, and its rules."""

    attributes: Mapping[str, str]
    logged: frozenset[str]
    rules: FilterRules


RUN_SYNTAX = FilterSyntax(
    {
        "run_id": "run_id",
        "name": "run_name",
        "user_id": "user_id",
        "status": "status",
        "started_at": "start_time",
        "ended_at": "end_time",
    },
    frozenset({"param", "tag", "metric"}),
    RUN_FILTERS,
)
EXPERIMENT_SYNTAX = FilterSyntax(
    {"name": "name", "created_at": "creation_time", "updated_at": "last_update_time"},
    frozenset({"tag"}),
    EXPERIMENT_FILTERS,
)


def filter_clause(predicate: Predicate, syntax: FilterSyntax, capabilities: Capabilities) -> str | None:
    """Return a clause that is true for all rows that match the predicate; None if the store supports none."""
    if (predicate.by, predicate.key) == ("attribute", "parent_run_id"):
        predicate = Predicate("tag", PARENT_TAG, predicate.operator, predicate.value)
    predicates = [predicate]
    if predicate.by in {"param", "tag"} and (predicate.operator, predicate.value) != ("is_null", True):
        # Every other predicate of a param or tag fails where it is absent.
        predicates.append(Predicate(predicate.by, predicate.key, "is_null", value=False))
        # The same for a store without IS NOT NULL.
        predicates.append(Predicate(predicate.by, predicate.key, "like", "%"))
    candidates = (candidate for each in predicates for candidate in _candidates(each, syntax, capabilities))
    return next((candidate.sent for candidate in candidates if _is_read_as_intended(candidate, syntax)), None)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A clause, what MLflow must read in it, and its form for the store."""

    text: str
    read: tuple[str, str, str, Any]
    sent: str


def _candidates(
    predicate: Predicate, syntax: FilterSyntax, capabilities: Capabilities
) -> Iterator[_Candidate]:
    """Yield the possible clauses for a predicate; MLflow misreads some of them."""
    for name, key in _names(predicate, syntax, capabilities):
        operator, literals = _comparison(predicate, capabilities)
        if operator in NULL_TESTS:
            text = f"{name} {operator}"
            yield _Candidate(text, (predicate.by, key, "is_null", NULL_TESTS[operator]), text)
        quoted = (
            predicate.by == "attribute" and isinstance(predicate.value, int) and capabilities.quoted_times
        )
        for literal, value in literals:
            sent = f"'{literal}'" if quoted else literal
            yield _Candidate(
                f"{name} {operator} {literal}",
                (predicate.by, key, OPERATORS[operator], value),
                f"{name} {operator} {sent}",
            )


def _names(
    predicate: Predicate, syntax: FilterSyntax, capabilities: Capabilities
) -> Iterator[tuple[str, str]]:
    if predicate.by == "attribute":
        attribute = syntax.attributes.get(predicate.key)
        supported = syntax is EXPERIMENT_SYNTAX or predicate.key in capabilities.attributes
        if attribute is not None and supported:
            yield attribute if syntax is EXPERIMENT_SYNTAX else f"attributes.{attribute}", attribute
        return
    if predicate.by not in syntax.logged:
        return
    if _UNQUOTED_KEY.fullmatch(predicate.key):
        yield f"{predicate.by}s.{predicate.key}", predicate.key
    if capabilities.quoted_metric_keys or predicate.by != "metric":
        yield from ((f"{predicate.by}s.{quote}{predicate.key}{quote}", predicate.key) for quote in '`"')


def _comparison(predicate: Predicate, capabilities: Capabilities) -> tuple[str, Iterator[tuple[str, Any]]]:
    """Return MLflow's operator, and the possible literals with the values that MLflow must read in them."""
    value: Any = predicate.value
    if predicate.operator == "is_null":
        # If a collation compares keys, the store may find a different key, and IS NULL excludes a match.
        exact = not value or predicate.key == PARENT_TAG
        possible = predicate.by in {"param", "tag"} and capabilities.null_tests and exact
        return ("IS NULL" if value else "IS NOT NULL") if possible else "", iter(())
    if predicate.operator in {"in", "not_in"}:
        return _membership(predicate, capabilities)
    operator = _OPERATORS[predicate.operator]
    if predicate.by == "metric":
        return operator, _number_literals(predicate)
    if isinstance(value, int):
        return operator, iter([(str(value), value)])
    if not isinstance(value, str) or not _is_comparable(predicate, capabilities):
        return operator, iter(())
    text = _widened(predicate, capabilities)
    return operator, ((f"{quote}{text}{quote}", text) for quote in "'\"" if quote not in text)


def _membership(predicate: Predicate, capabilities: Capabilities) -> tuple[str, Iterator[tuple[str, Any]]]:
    values: Any = predicate.value
    if predicate.operator == "in" and len(values) == 1:
        return _comparison(Predicate(predicate.by, predicate.key, "eq", values[0]), capabilities)
    if (predicate.by, predicate.key) != ("attribute", "run_id") or not all(map(_ID.fullmatch, values)):
        return "", iter(())
    literals = ", ".join(f"'{value}'" for value in values)
    return _OPERATORS[predicate.operator], iter([(f"({literals})", tuple(values))] if values else ())


def _is_comparable(predicate: Predicate, capabilities: Capabilities) -> bool:
    """Return whether the store's comparison of text matches all that this server's comparison matches."""
    if predicate.operator in {"like", "ilike"}:
        # Some databases treat a backslash as an escape.
        return capabilities.like and "\\" not in str(predicate.value)
    # No store compares numbers in text as numbers.
    return predicate.operator in {"eq", "ne"} and not (
        predicate.by == "tag" and predicate.operator == "ne" and not capabilities.unequal_tags
    )


def _widened(predicate: Predicate, capabilities: Capabilities) -> str:
    """Return the text for the store to compare with, widened so that the store excludes no match."""
    text = str(predicate.value)
    if predicate.operator in {"like", "ilike"}:
        # MySQL compares bytes here, up to four per letter, and some databases fold one letter to two.
        return text.replace("_", "%")
    return capabilities.status_names.get(text, text) if predicate.key == "status" else text


def _number_literals(predicate: Predicate) -> Iterator[tuple[str, Any]]:
    number: Any = predicate.value
    # Databases store NaN as 0 and infinities as the largest floats, and MLflow compares with those.
    if abs(number) >= LARGEST_FLOAT or (predicate.operator == "ne" and number == 0):
        return
    # MLflow reads no sign of a positive exponent.
    yield repr(float(number)).replace("e+", "e"), float(number)


def _is_read_as_intended(candidate: _Candidate, syntax: FilterSyntax) -> bool:
    """Return whether MLflow reads a clause as intended: its syntax has no escapes."""
    try:
        comparisons = syntax.rules.parse(candidate.text)
    except BadUserInput:
        return False
    return [(each.by, each.key, each.operator, each.value) for each in comparisons] == [candidate.read]
