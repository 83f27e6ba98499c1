"""Tests as clauses of MLflow's filter strings, for a store to leave out most of what does not match.

A clause may let through more than its test, never less: what a store finds is tested again here.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchExperimentsUtils, SearchUtils

from gql_server.stores.pushdown.capabilities import Capabilities
from schema.ports.condition import PARENT_TAG, Predicate

_LARGEST = sys.float_info.max
_OPERATORS = {
    "eq": "=", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "like": "LIKE", "ilike": "ILIKE",
}  # fmt: skip
_PARSED = {"param": "parameter", "tag": "tag", "metric": "metric", "attribute": "attribute"}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
"""The keys that need no quotes, mostly; some are words of the language."""
_ID = re.compile(r"[\w\-]+")
_Parse = Callable[[str], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Language:
    """The filter strings of runs or of experiments: what MLflow calls the port's attributes, its parser."""

    attributes: Mapping[str, str]
    logged: frozenset[str]
    parse: _Parse


OF_RUNS = Language(
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
OF_EXPERIMENTS = Language(
    {"name": "name", "created_at": "creation_time", "updated_at": "last_update_time"},
    frozenset({"tag"}),
    SearchExperimentsUtils.parse_search_filter,
)


def clause(test: Predicate, language: Language, store: Capabilities) -> str | None:
    """Return a clause that holds wherever the test does; None where the store has none."""
    if (test.by, test.key) == ("attribute", "parent_run_id"):
        test = Predicate("tag", PARENT_TAG, test.operator, test.value)
    tests = [test]
    if test.by in {"param", "tag"} and (test.operator, test.value) != ("is_null", True):
        # Whatever is asked of it, it has to be there.
        tests.append(Predicate(test.by, test.key, "is_null", value=False))
        # The same, where a store cannot be asked for what is there.
        tests.append(Predicate(test.by, test.key, "like", "%"))
    writings = (writing for one in tests for writing in _writings(one, language, store))
    return next((writing.sent for writing in writings if _understood(writing, language)), None)


@dataclass(frozen=True, slots=True)
class _Writing:
    """A clause, what MLflow's parser has to make of it, and how the store wants it."""

    text: str
    parsed: tuple[str, str, str, Any]
    sent: str


def _writings(test: Predicate, language: Language, store: Capabilities) -> Iterator[_Writing]:
    """Give the ways to write a test, of which MLflow reads some otherwise than they are meant."""
    for name, key in _names(test, language, store):
        operator, literals = _comparison(test, store)
        kind = _PARSED[test.by]
        if operator in {"IS NULL", "IS NOT NULL"}:
            text = f"{name} {operator}"
            yield _Writing(text, (kind, key, operator, None), text)
        quoted = test.by == "attribute" and isinstance(test.value, int) and store.quoted_numbers
        for written, value in literals:
            sent = f"'{written}'" if quoted else written
            yield _Writing(
                f"{name} {operator} {written}", (kind, key, operator, value), f"{name} {operator} {sent}"
            )


def _names(test: Predicate, language: Language, store: Capabilities) -> Iterator[tuple[str, str]]:
    if test.by == "attribute":
        own = language.attributes.get(test.key)
        known = language is OF_EXPERIMENTS or test.key in store.attributes
        if own is not None and known:
            yield own if language is OF_EXPERIMENTS else f"attributes.{own}", own
        return
    if test.by not in language.logged:
        return
    if _PLAIN.fullmatch(test.key):
        yield f"{test.by}s.{test.key}", test.key
    if store.quoted_metrics or test.by != "metric":
        yield from ((f"{test.by}s.{quote}{test.key}{quote}", test.key) for quote in '`"')


def _comparison(test: Predicate, store: Capabilities) -> tuple[str, Iterator[tuple[str, Any]]]:
    """Return MLflow's operator, and the ways to write the value with what MLflow's parser makes of each."""
    value: Any = test.value
    if test.operator == "is_null":
        # Where keys are found by a collation, another one than this may be there.
        told = not value or test.key == PARENT_TAG
        possible = test.by in {"param", "tag"} and store.null_tests and told
        return ("IS NULL" if value else "IS NOT NULL") if possible else "", iter(())
    if test.operator in {"in", "not_in"}:
        return _membership(test, store)
    operator = _OPERATORS[test.operator]
    if test.by == "metric":
        return operator, _number(test)
    if isinstance(value, int):
        return operator, iter([(str(value), str(value))])
    if not isinstance(value, str) or not _comparable(test, store):
        return operator, iter(())
    text = _widened(test, store)
    return operator, ((f"{quote}{text}{quote}", text) for quote in "'\"" if quote not in text)


def _membership(test: Predicate, store: Capabilities) -> tuple[str, Iterator[tuple[str, Any]]]:
    values: Any = test.value
    if test.operator == "in" and len(values) == 1:
        return _comparison(Predicate(test.by, test.key, "eq", values[0]), store)
    if (test.by, test.key) != ("attribute", "run_id") or not all(map(_ID.fullmatch, values)):
        return "", iter(())
    listed = ", ".join(f"'{value}'" for value in values)
    operator = "IN" if test.operator == "in" else "NOT IN"
    return operator, iter([(f"({listed})", tuple(values))] if values else ())


def _comparable(test: Predicate, store: Capabilities) -> bool:
    """Say whether a store's own comparison of text lets through all that this server's does."""
    if test.operator in {"like", "ilike"}:
        # Some databases take a backslash for an escape.
        return store.like and "\\" not in str(test.value)
    # Numbers in text are compared as such by no store.
    return test.operator in {"eq", "ne"} and not (
        test.by == "tag" and test.operator == "ne" and not store.unequal_tags
    )


def _widened(test: Predicate, store: Capabilities) -> str:
    """Return the text that a store is given to compare with, so that it lets through all that matches."""
    text = str(test.value)
    if test.operator in {"like", "ilike"}:
        # MySQL compares bytes here, of which a letter may have four, and some fold one letter to two.
        return text.replace("_", "%")
    return store.statuses.get(text, text) if test.key == "status" else text


def _number(test: Predicate) -> Iterator[tuple[str, Any]]:
    number: Any = test.value
    # A database keeps a NaN as 0 and infinities as the largest numbers, and MLflow compares with those.
    if abs(number) >= _LARGEST or (test.operator == "ne" and number == 0):
        return
    # MLflow's parser stops at the sign of a positive exponent.
    yield repr(float(number)).replace("e+", "e"), float(number)


def _understood(writing: _Writing, language: Language) -> bool:
    """Say whether MLflow reads a clause as it is meant: its parser has no way to escape anything."""
    kind, key, operator, value = writing.parsed
    try:
        (parsed,) = language.parse(writing.text)
        found = parsed["value"] if kind != "metric" else float(parsed["value"])
    # Not only MLflow's own: sqlparse and shlex, inside, raise what they like.
    except (MlflowException, ValueError, TypeError, KeyError, SyntaxError, IndexError):
        return False
    alias: str = SearchUtils.translate_key_alias(key)
    same = (parsed["type"], parsed["key"], parsed["comparator"].upper()) == (kind, key, operator)
    return same and alias == key and (value is None or _plain(found) == _plain(value))


def _plain(value: Any) -> Any:
    return (
        tuple(value) if isinstance(value, list | tuple) else str(value) if isinstance(value, int) else value
    )
