"""MLflow's filter strings parsed to conditions, for stores that support only some of the syntax."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchExperimentsUtils, SearchUtils

from gql_server.stores.pushdown.filter_pushdown import EXPERIMENT_FILTERS, FilterSyntax
from schema.ports.condition import AllOf, Operator, Predicate
from schema.ports.errors import BadUserInput, UnsupportedByStore
from schema.ports.filter_string import MAX_FILTER_LENGTH

_OPERATORS: Mapping[str, Operator] = {
    "=": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte",
    "LIKE": "like", "ILIKE": "ilike", "IN": "in", "NOT IN": "not_in",
}  # fmt: skip
_NULL_TESTS = {"IS NULL": True, "IS NOT NULL": False}
_INTEGER = re.compile(r"[+-]?[0-9]+")
_TIMES = {"start_time", "end_time", "creation_time", "last_update_time"}


def parse_filter(text: str, syntax: FilterSyntax) -> AllOf:
    """Return a filter string as a condition with the meaning that it has in MLflow.

    Raises `BadUserInput` or MLflow's exception for a filter that MLflow refuses, `BadUserInput` for one
    that is too long, and `UnsupportedByStore` for datasets, which are not columns of runs.
    """
    if len(text) > MAX_FILTER_LENGTH:
        message = (
            f"On this store filter may have at most {MAX_FILTER_LENGTH:,} characters; where may be longer."
        )
        raise BadUserInput(message)
    return AllOf(tuple(_predicate(comparison, syntax) for comparison in _comparisons(text, syntax)))


def check_filter(text: str, syntax: FilterSyntax, *, integer_times_only: bool) -> None:
    """Raise `BadUserInput` for a filter string on which the store would fail instead of refusing it.

    The store checks what MLflow refuses with a message, because it may be a newer version that supports more,
    and filters that are too long to be parsed here. `integer_times_only` refuses times that are not integers.
    """
    if len(text) > MAX_FILTER_LENGTH:
        return
    try:
        comparisons = _comparisons(text, syntax)
    except MlflowException:
        return
    if integer_times_only and not all(map(_has_integer_time, comparisons)):
        message = "On this store filter compares times only with integers (milliseconds)."
        raise BadUserInput(message)


def _comparisons(text: str, syntax: FilterSyntax) -> Sequence[Mapping[str, Any]]:
    try:
        return syntax.parse(text)
    # MLflow's parser uses sqlparse and shlex, which raise any of these.
    except (ValueError, TypeError, KeyError, SyntaxError, IndexError, RecursionError) as error:
        message = "MLflow cannot parse this filter."
        raise BadUserInput(message) from error


def _has_integer_time(comparison: Mapping[str, Any]) -> bool:
    is_time = (
        comparison["type"] == "attribute" and SearchUtils.translate_key_alias(comparison["key"]) in _TIMES
    )
    return not is_time or _INTEGER.fullmatch(str(comparison["value"])) is not None


def _predicate(comparison: Mapping[str, Any], syntax: FilterSyntax) -> Predicate:
    parsed_type, key, value = comparison["type"], comparison["key"], comparison["value"]
    operator = comparison["comparator"].upper()
    if parsed_type == "attribute":
        key = SearchUtils.translate_key_alias(key)
    _check_operator(parsed_type, key, operator, syntax)
    if parsed_type == "dataset":
        message = "This store cannot filter runs by their datasets."
        raise UnsupportedByStore(message)
    by: Any = {"parameter": "param"}.get(parsed_type, parsed_type)
    if operator in _NULL_TESTS:
        return Predicate(by, key, "is_null", _NULL_TESTS[operator])
    if parsed_type == "attribute":
        return Predicate(
            "attribute", _port_name(key, syntax), _OPERATORS[operator], _attribute_value(key, value)
        )
    return Predicate(by, key, _OPERATORS[operator], float(value) if parsed_type == "metric" else str(value))


def _check_operator(parsed_type: str, key: str, operator: str, syntax: FilterSyntax) -> None:
    """Raise `BadUserInput` for an operator that MLflow does not support here; its parser accepts all."""
    rules = SearchExperimentsUtils if syntax is EXPERIMENT_FILTERS else SearchUtils
    supported = (
        rules.is_string_attribute(parsed_type, key, operator)
        or rules.is_numeric_attribute(parsed_type, key, operator)
        or rules.is_metric(parsed_type, operator)
        or rules.is_param(parsed_type, operator)
        or rules.is_tag(parsed_type, operator)
        or rules.is_dataset(parsed_type, operator)
    )
    membership = operator in {"IN", "NOT IN"} and parsed_type == "attribute" and key != "run_id"
    if not supported or membership:
        message = f"{operator} is not an operator for {key!r}."
        raise BadUserInput(message)


def _port_name(key: str, syntax: FilterSyntax) -> str:
    names = {mlflow_name: name for name, mlflow_name in syntax.attributes.items()}
    return names.get(key, key)


def _attribute_value(key: str, value: Any) -> Any:
    if key in _TIMES:
        number = float(value)
        return int(number) if number.is_integer() else number
    return tuple(value) if isinstance(value, list | tuple) else str(value)
