"""Filters are read as MLflow reads them, by its oldest and its newest version."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.stores.filters.experiment_filters import EXPERIMENT_FILTERS
from gql_server.stores.filters.model_filters import MODEL_FILTERS
from gql_server.stores.filters.run_filters import RUN_FILTERS
from gql_server.stores.message_text import shortened
from schema.ports.errors import BadUserInput
from tests.support.filter_strategies import each_key_and_value, filter_strings
from tests.upstream import filter_parser
from tests.upstream.environments import skinny_python
from tests.upstream.versions import VERSIONS

OLDEST, NEWEST = VERSIONS[0].number, VERSIONS[-1].number
_RULES = {"run": RUN_FILTERS, "experiment": EXPERIMENT_FILTERS, "model": MODEL_FILTERS}
_OPERATORS = {
    "=": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "LIKE": "like", "ILIKE": "ilike",
    "IN": "in", "NOT IN": "not_in", "IS NULL": "is_null", "IS NOT NULL": "is_null",
}  # fmt: skip
_KEYWORD = re.compile(
    r"(\.\s+|->>?\s*|::\s*)(in|from|select|is|not|null)\b|\bparameters?\s*\.\d|\de\+\d", re.IGNORECASE
)
"""Matches what sqlparse takes for a keyword in place of a key or a prefix, and an exponent with a plus."""
_ALIAS = re.compile(r"\s\S+\s+IS\s", re.IGNORECASE)
"""Matches a second word before IS, which MLflow takes for a part of the key."""
_OTHER_MESSAGES = (
    *("Invalid clause(s)", "Search filter contained", "Invalid comparison clause", "Invalid comparator"),
    *("Invalid experiment ID", "A list of values"),
)
"""Messages with other tokens or sets than MLflow's, and those that MLflow raises later than others."""
_TIMES = {"start_time", "end_time", "creation_time", "last_update_time"}
_Comparisons = list[tuple[str, str, str, Any]]


def _kind_and_text(kind: str) -> st.SearchStrategy[tuple[str, str]]:
    return st.tuples(st.just(kind), filter_strings(kind))


class MlflowParser:
    """The parser of one version of MLflow, in a process of its own."""

    def __init__(self, version: str) -> None:
        command = [str(skinny_python(version)), "-W", "ignore", str(Path(filter_parser.__file__))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def parse(self, kind: str, text: str) -> dict[str, Any]:
        """Return the comparisons of a filter, or the error."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([kind, text]) + "\n")
        self._process.stdin.flush()
        response: dict[str, Any] = json.loads(self._process.stdout.readline())
        return response

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@pytest.fixture(scope="module")
def parsers() -> Iterator[dict[str, MlflowParser]]:
    """Give the parsers of the oldest and the newest version."""
    opened = {version: MlflowParser(version) for version in (OLDEST, NEWEST)}
    yield opened
    for parser in opened.values():
        parser.close()


@given(kind_and_text=st.sampled_from(sorted(_RULES)).flatmap(_kind_and_text))
@settings(max_examples=300)
def test_filter_is_read_as_by_mlflow(
    parsers: Mapping[str, MlflowParser], kind_and_text: tuple[str, str]
) -> None:
    """A filter has the comparisons or the message of the newest version, and what the oldest accepts, too."""
    _assert_same(parsers, *kind_and_text)


@pytest.mark.parametrize("kind", _RULES)
def test_each_key_and_value_is_read_as_by_mlflow(parsers: Mapping[str, MlflowParser], kind: str) -> None:
    """The same for each form of a key, with each value."""
    for text in each_key_and_value(kind):
        _assert_same(parsers, kind, text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("run", "start_time < 1e400 AND metrics.a > -1e400 AND end_time != 5.0"),
        ("run", "attributes.Created >= 9223372036854775807 AND created < 9223372036854775808"),
        ("run", "params.layers[0] = 'a' AND tags.mAP(0.5) = 'b' and metrics.Net::loss < 1"),
        ("run", "params.created = 'a' AND metrics.en->de > 1 AND tags. a = 'b' AND tags. = 'c'"),
        ("experiment", "name LIKE 'a%' AND tags.`a b` != 'c' AND creation_time > 5"),
        ("model", "name ilike 'a%' and tag.\"a b\" != 'c' AND attribute.name = 'd'"),
    ],
)
def test_both_versions_read_a_filter_alike(parsers: Mapping[str, MlflowParser], kind: str, text: str) -> None:
    """Both versions return the same comparisons as this server."""
    here = _read_here(kind, text)
    assert isinstance(here, list)
    for parser in parsers.values():
        assert _read_by_mlflow(parser, kind, text) == here


def _assert_same(parsers: Mapping[str, MlflowParser], kind: str, text: str) -> None:
    here = _read_here(kind, text)
    newest, oldest = (_read_by_mlflow(parsers[version], kind, text) for version in (NEWEST, OLDEST))
    if isinstance(newest, str):
        if isinstance(here, str):
            assert here == newest or not _has_mlflows_message(here, newest), text
        else:
            assert _KEYWORD.search(text), text
    else:
        assert here == newest or (isinstance(here, str) and _ALIAS.search(text)), text
    if not isinstance(oldest, str):
        assert not isinstance(here, str), text
        assert list(map(_as_oldest, here)) == oldest, text


def _normalized(by: str, key: str, operator: str, value: Any) -> tuple[str, str, str, Any]:
    """Return a comparison of MLflow in the form of this server's; numbers are compared as floats."""
    by = {"parameter": "param"}.get(by, by)
    if by == "metric" or (by == "attribute" and key in _TIMES):
        value = float(value)
    elif operator.startswith("IS"):
        value = operator == "IS NULL"
    elif key == "experiment_id" and by == "attribute":
        value = tuple(map(_id, value)) if isinstance(value, list) else _id(value)
    return by, key, _OPERATORS[operator], tuple(value) if isinstance(value, list) else value


def _id(text: str) -> str:
    return str(int(text))


def _read_here(kind: str, text: str) -> _Comparisons | str:
    """Return the comparisons, or the message of the error."""
    try:
        parsed = _RULES[kind].parse(text)
    except BadUserInput as error:
        return str(error)
    return [(each.by, each.key, each.operator, _float(each.by, each.key, each.value)) for each in parsed]


def _float(by: str, key: str, value: Any) -> Any:
    return float(value) if by == "attribute" and key in _TIMES else value


def _read_by_mlflow(parser: MlflowParser, kind: str, text: str) -> _Comparisons | str:
    response = parser.parse(kind, text)
    if "error" in response:
        return _with_sorted_sets(shortened(response["error"]))
    return [_normalized(*comparison) for comparison in response["comparisons"]]


def _with_sorted_sets(message: str) -> str:
    def sort(names: re.Match[str]) -> str:
        return f"{{{', '.join(sorted(names[0][1:-1].split(', ')))}}}"

    return re.sub(r"\{[^{}]*\}", sort, message)


def _has_mlflows_message(here: str, newest: str) -> bool:
    return bool(newest) and not (here.startswith(_OTHER_MESSAGES) or newest.startswith(_OTHER_MESSAGES))


def _as_oldest(comparison: tuple[str, str, str, Any]) -> tuple[str, str, str, Any]:
    """Return a comparison as the oldest version has it: without ids of runs that are not in lower case."""
    by, key, operator, value = comparison
    if isinstance(value, tuple):
        value = tuple(id_ for id_ in value if id_.islower())
    return by, key, operator, value
