"""MLflow's filter strings as conditions, for a store that does not take all of their language."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchExperimentsUtils, SearchUtils

from gql_server.stores.pushdown.filter_pushdown import OF_EXPERIMENTS, Language
from schema.ports.condition import AllOf, Operator, Predicate
from schema.ports.errors import BadUserInput, UnsupportedByStore

_LONGEST = 20_000
"""Characters of a filter that is read here; MLflow's parser takes seconds for a hundred times that."""
_OPERATORS: Mapping[str, Operator] = {
    "=": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte",
    "LIKE": "like", "ILIKE": "ilike", "IN": "in", "NOT IN": "not_in",
}  # fmt: skip
_NULL_TESTS = {"IS NULL": True, "IS NOT NULL": False}
_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBERS = {"start_time", "end_time", "creation_time", "last_update_time"}


def read_filter(text: str, language: Language) -> AllOf:
    """Return what a filter string asks; it means what it does in MLflow.

    Raises `BadUserInput` and MLflow's own exception for what MLflow would refuse, and for a very long text,
    and `UnsupportedByStore` for datasets, which are not among the columns of runs.
    """
    if len(text) > _LONGEST:
        message = f"On this store filter may have at most {_LONGEST:,} characters; where may hold more."
        raise BadUserInput(message)
    return AllOf(tuple(_test(comparison, language) for comparison in _parsed(text, language)))


def check_filter(text: str, language: Language, *, whole_times: bool) -> None:
    """Raise `BadUserInput` for a filter string that a store would fail over, rather than refuse.

    What MLflow refuses in words is left to the store, which may be newer and know more, and so is a text that
    is too long to be read here. `whole_times` refuses times that are not whole numbers.
    """
    if len(text) > _LONGEST:
        return
    try:
        comparisons = _parsed(text, language)
    except MlflowException:
        return
    if whole_times and not all(map(_is_whole, comparisons)):
        message = "On this store filter compares times with whole numbers of milliseconds only."
        raise BadUserInput(message)


def _parsed(text: str, language: Language) -> Sequence[Mapping[str, Any]]:
    try:
        return language.parse(text)
    # sqlparse and shlex, inside, raise what they like.
    except (ValueError, TypeError, KeyError, SyntaxError, IndexError, RecursionError) as error:
        message = "filter is not one that MLflow can read."
        raise BadUserInput(message) from error


def _is_whole(comparison: Mapping[str, Any]) -> bool:
    time = (
        comparison["type"] == "attribute" and SearchUtils.translate_key_alias(comparison["key"]) in _NUMBERS
    )
    return not time or _WHOLE.fullmatch(str(comparison["value"])) is not None


def _test(comparison: Mapping[str, Any], language: Language) -> Predicate:
    kind, key, value = comparison["type"], comparison["key"], comparison["value"]
    operator = comparison["comparator"].upper()
    if kind == "attribute":
        key = SearchUtils.translate_key_alias(key)
    _check(kind, key, operator, language)
    if kind == "dataset":
        message = "This store cannot filter runs by their datasets."
        raise UnsupportedByStore(message)
    by: Any = {"parameter": "param"}.get(kind, kind)
    if operator in _NULL_TESTS:
        return Predicate(by, key, "is_null", _NULL_TESTS[operator])
    if kind == "attribute":
        return Predicate("attribute", _own(key, language), _OPERATORS[operator], _attribute(key, value))
    return Predicate(by, key, _OPERATORS[operator], float(value) if kind == "metric" else str(value))


def _check(kind: str, key: str, operator: str, language: Language) -> None:
    """Raise MLflow's own exception for an operator that it does not have for this; its parser takes all."""
    rules = SearchExperimentsUtils if language is OF_EXPERIMENTS else SearchUtils
    known = (
        rules.is_string_attribute(kind, key, operator)
        or rules.is_numeric_attribute(kind, key, operator)
        or rules.is_metric(kind, operator)
        or rules.is_param(kind, operator)
        or rules.is_tag(kind, operator)
        or rules.is_dataset(kind, operator)
    )
    membership = operator in {"IN", "NOT IN"} and kind == "attribute" and key != "run_id"
    if not known or membership:
        message = f"{operator} is not an operator for {key!r}."
        raise BadUserInput(message)


def _own(key: str, language: Language) -> str:
    names = {theirs: own for own, theirs in language.attributes.items()}
    return names.get(key, key)


def _attribute(key: str, value: Any) -> Any:
    if key in _NUMBERS:
        number = float(value)
        return int(number) if number.is_integer() else number
    return tuple(value) if isinstance(value, list | tuple) else str(value)
