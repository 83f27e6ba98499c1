"""Predicates as clauses of MLflow's filter strings, so that the store excludes rows that do not match.

A clause may match more rows than its predicate, never fewer: this server tests the rows again.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchExperimentsUtils, SearchUtils

from gql_server.stores.pushdown.capabilities import Capabilities
from schema.ports.condition import PARENT_TAG, Predicate
from schema.ports.non_finite import LARGEST_FLOAT

_OPERATORS = {
    "eq": "=", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "like": "LIKE", "ilike": "ILIKE",
}  # fmt: skip
_PARSED_TYPES = {"param": "parameter", "tag": "tag", "metric": "metric", "attribute": "attribute"}
_UNQUOTED_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
"""Keys that usually need no quotes; some are keywords of the syntax."""
_ID = re.compile(r"[\w\-]+")
_Parse = Callable[[str], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class FilterSyntax:
    """The filter syntax of runs or experiments: MLflow's names of the port's attributes, and its parser."""

    attributes: Mapping[str, str]
    logged: frozenset[str]
    parse: _Parse


RUN_FILTERS = FilterSyntax(
    {
        "run_id": "run_id",
        "name": "run_name",
        "user_id": "user_id",
        "status": "status",
        "started_at": "start_time",
        "ended_at": "end_time",
    },
    frozenset({"param", "tag", "metric"}),
    SearchUtils.parse_search_filter,
)
EXPERIMENT_FILTERS = FilterSyntax(
    {"name": "name", "created_at": "creation_time", "updated_at": "last_update_time"},
    frozenset({"tag"}),
    SearchExperimentsUtils.parse_search_filter,
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
    return next((candidate.sent for candidate in candidates if _parses_as_intended(candidate, syntax)), None)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A clause, the result that MLflow's parser must return for it, and its form for the store."""

    text: str
    parsed: tuple[str, str, str, Any]
    sent: str


def _candidates(
    predicate: Predicate, syntax: FilterSyntax, capabilities: Capabilities
) -> Iterator[_Candidate]:
    """Yield the possible clauses for a predicate; MLflow's parser misreads some of them."""
    for name, key in _names(predicate, syntax, capabilities):
        operator, literals = _comparison(predicate, capabilities)
        parsed_type = _PARSED_TYPES[predicate.by]
        if operator in {"IS NULL", "IS NOT NULL"}:
            text = f"{name} {operator}"
            yield _Candidate(text, (parsed_type, key, operator, None), text)
        quoted = (
            predicate.by == "attribute" and isinstance(predicate.value, int) and capabilities.quoted_times
        )
        for literal, value in literals:
            sent = f"'{literal}'" if quoted else literal
            yield _Candidate(
                f"{name} {operator} {literal}",
                (parsed_type, key, operator, value),
                f"{name} {operator} {sent}",
            )


def _names(
    predicate: Predicate, syntax: FilterSyntax, capabilities: Capabilities
) -> Iterator[tuple[str, str]]:
    if predicate.by == "attribute":
        attribute = syntax.attributes.get(predicate.key)
        supported = syntax is EXPERIMENT_FILTERS or predicate.key in capabilities.attributes
        if attribute is not None and supported:
            yield attribute if syntax is EXPERIMENT_FILTERS else f"attributes.{attribute}", attribute
        return
    if predicate.by not in syntax.logged:
        return
    if _UNQUOTED_KEY.fullmatch(predicate.key):
        yield f"{predicate.by}s.{predicate.key}", predicate.key
    if capabilities.quoted_metric_keys or predicate.by != "metric":
        yield from ((f"{predicate.by}s.{quote}{predicate.key}{quote}", predicate.key) for quote in '`"')


def _comparison(predicate: Predicate, capabilities: Capabilities) -> tuple[str, Iterator[tuple[str, Any]]]:
    """Return MLflow's operator, and the possible literals with the values that MLflow's parser returns."""
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
        return operator, iter([(str(value), str(value))])
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
    operator = "IN" if predicate.operator == "in" else "NOT IN"
    return operator, iter([(f"({literals})", tuple(values))] if values else ())


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
    # MLflow's parser stops at the sign of a positive exponent.
    yield repr(float(number)).replace("e+", "e"), float(number)


def _parses_as_intended(candidate: _Candidate, syntax: FilterSyntax) -> bool:
    """Return whether MLflow reads a clause as intended: its syntax has no escapes."""
    parsed_type, key, operator, value = candidate.parsed
    try:
        (parsed,) = syntax.parse(candidate.text)
        parsed_value = parsed["value"] if parsed_type != "metric" else float(parsed["value"])
    # MLflow's parser uses sqlparse and shlex, which raise these as well.
    except (MlflowException, ValueError, TypeError, KeyError, SyntaxError, IndexError):
        return False
    alias: str = SearchUtils.translate_key_alias(key)
    same = (parsed["type"], parsed["key"], parsed["comparator"].upper()) == (parsed_type, key, operator)
    return same and alias == key and (value is None or _normalized(parsed_value) == _normalized(value))


def _normalized(value: Any) -> Any:
    return (
        tuple(value) if isinstance(value, list | tuple) else str(value) if isinstance(value, int) else value
    )
