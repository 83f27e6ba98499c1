"""MLflow's parser of filter strings, as a script for the Python of an environment: it answers JSON lines.

A request is the kind of entity and a filter. A response has the comparisons, or the error; what the parser
accepts but the stores refuse is an error here.
"""

import json
import sys
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchExperimentsUtils, SearchModelUtils, SearchUtils

_PARSERS = {"run": SearchUtils, "experiment": SearchExperimentsUtils, "model": SearchModelUtils}


def parse(kind: str, filter_: str) -> list[tuple[str, str, str, Any]]:
    """Return the comparisons of a filter: what its key names, the key, the operator and the value."""
    rules: Any = _PARSERS[kind]
    comparisons = []
    for parsed in rules.parse_search_filter(filter_):
        by, key, value = parsed["type"], parsed["key"], parsed["value"]
        key = SearchUtils.translate_key_alias(key) if kind == "run" else key
        operator = parsed["comparator"].upper()
        _check(rules, by, key, operator, value)
        comparisons.append((by, key, operator, value))
    return comparisons


def _check(rules: Any, by: str, key: str, operator: str, value: Any) -> None:
    """Raise an exception for a comparison that a store refuses."""
    tests = [rules.is_metric, rules.is_param, rules.is_tag, getattr(rules, "is_dataset", rules.is_tag)]
    any(test(by, operator) for test in tests)
    rules.is_string_attribute(by, key, operator)
    rules.is_numeric_attribute(by, key, operator)
    if isinstance(value, list | tuple) != (operator in {"IN", "NOT IN"}):
        message = "A database cannot compare a text with a list."
        raise ValueError(message)
    if key == "experiment_id" and by == "attribute":
        list(map(int, [value] if isinstance(value, str) else value))
        if operator.endswith("LIKE"):
            message = "A database compares ids for equality only."
            raise ValueError(message)


def _response(kind: str, filter_: str) -> dict[str, Any]:
    try:
        return {"comparisons": parse(kind, filter_)}
    except MlflowException as error:
        return {"error": error.message}
    # MLflow does not convert all errors of sqlparse, ast and Python.
    except Exception:  # noqa: BLE001
        return {"error": ""}


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_response(*json.loads(line))) + "\n")
        sys.stdout.flush()
