"""A page or lookup of runs requests the keys of params, metrics and tags that its selection needs."""

import pytest

from schema.ports.columns import Columns, keys_of
from schema.ports.condition import PARENT_TAG
from tests.support.schema.comparison import execute_and_compare
from tests.support.schema.execution import execute_query
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.schema.record_strategies import experiment, metric, run

DECLARED = 'query ($keys: [String!], $key: String! = "c", $none: [String!], $no: Boolean! = false)'
UNUSED = """nodes(ids: []) @skip(if: true) { ... on Run {
  a: params(keys: $none) { key } b: params(keys: $keys) { key }
  param(key: $key) runId @skip(if: $no) ...F } }"""
FRAGMENT = """fragment F on Node { ... on Run { metric(key: "x") { value } tag(key: "c") } }"""


def _store() -> MemoryTracking:
    pairs = [{"key": key, "value": key.upper()} for key in "abc"]
    its_runs = [
        run(f"0.{number}", params=pairs, tags=pairs, metrics=[metric(f"0.{number}", key) for key in "xyz"])
        for number in range(2)
    ]
    return MemoryTracking([experiment(runs=its_runs, tags=pairs)], include_related=True)


@pytest.mark.parametrize(
    ("selected", "keys"),
    [
        pytest.param('param(key: "a")', {"params": {"a"}}, id="one key"),
        pytest.param('x: param(key: "a") param(key: "b")', {"params": {"a", "b"}}, id="aliases"),
        pytest.param(
            'param(key: "a") params(keys: ["b", "zz"]) { key }', {"params": {"a", "b", "zz"}}, id="lists"
        ),
        pytest.param('param(key: "a") params { key }', {}, id="all"),
        pytest.param('param(key: "a") params(keys: null) { key }', {}, id="null stands for all"),
        pytest.param("params(keys: []) { key }", {"params": set()}, id="none"),
        pytest.param('params(keys: "a") { key }', {"params": {"a"}}, id="one key as a list"),
        pytest.param("params(keys: $keys) { key }", {"params": {"b", "c"}}, id="variable"),
        pytest.param('params(keys: ["a", $key]) { key }', {"params": {"a", "c"}}, id="variable in a list"),
        pytest.param("params(keys: $none) { key }", {}, id="variable without a value"),
        pytest.param(
            'a: param(key: "a") @skip(if: $no) b: param(key: "b") @include(if: $no)',
            {"params": {"a"}},
            id="directives",
        ),
        pytest.param("...F ... on Node { ...F }", {"metrics": {"x"}, "tags": {"c"}}, id="fragments"),
        pytest.param("parent { runId }", {"tags": {PARENT_TAG}}, id="parent"),
        pytest.param('parent { runId } tag(key: "a")', {"tags": {PARENT_TAG, "a"}}, id="parent and tag"),
        pytest.param("parent { runId } tags { key }", {}, id="parent and tags"),
    ],
)
async def test_keys_of_a_selection(selected: str, keys: dict[str, set[str]]) -> None:
    """The requested keys are those of all fields together, and no call is needed for them."""
    store = _store()
    query = f"""{DECLARED} {{ runs {{ nodes {{ {selected} }} }} {UNUSED} }} {FRAGMENT}"""
    result = await execute_query(store, query, {"keys": ["b", "c"]})
    assert result.errors == []
    (page,) = [arguments[-1] for name, *arguments in store.requests if name == "runs"]
    assert isinstance(page.columns, Columns)
    assert page.columns.keys == keys
    assert store.calls.keys() == {"runs"}


async def test_values_of_requested_keys() -> None:
    """Each field has its own keys of the loaded ones, and a level below requests its own."""
    query = """{ run(runId: "0.0") { a: param(key: "a") b: param(key: "b") zz: param(key: "zz")
      params(keys: ["b", "a"]) { key value } metric(key: "y") { key } metrics(keys: ["x"]) { key }
      tag(key: "c") experiment { tag(key: "b") tags(keys: ["a"]) { value }
        runs { nodes { param(key: "c") metrics { key } } } } } }"""
    store = _store()
    result = await execute_and_compare(query, store)
    metrics = [{"key": key} for key in "xyz"]
    assert result.data == {
        "run": {
            "a": "A",
            "b": "B",
            "zz": None,
            "params": [{"key": "a", "value": "A"}, {"key": "b", "value": "B"}],
            "metric": {"key": "y"},
            "metrics": [{"key": "x"}],
            "tag": "C",
            "experiment": {
                "tag": "B",
                "tags": [{"value": "A"}],
                "runs": {"nodes": [{"param": "C", "metrics": metrics}] * 2},
            },
        }
    }
    assert store.calls.keys() == {"runs_by_id", "experiments_by_id", "runs"}


async def test_comparison_has_all_keys() -> None:
    """A comparison reads all keys, although the selection of its runs needs one."""
    store = _store()
    query = """{ compareRuns(runIds: ["0.1", "0.0", "0.1"]) {
      runs { param(key: "a") tag(key: "b") } params { key values } } }"""
    result = await execute_query(store, query)
    assert result.data is not None
    comparison = result.data["compareRuns"]
    assert comparison["runs"] == [{"param": "A", "tag": "B"}] * 3
    assert [row["key"] for row in comparison["params"]] == ["a", "b", "c"]
    ((_, columns),) = [arguments for name, *arguments in store.requests if name == "runs_by_id"]
    assert (keys_of(columns, "params"), keys_of(columns, "tags")) == (None, frozenset("b"))
    assert store.calls == {"runs_by_id": 1}


async def test_export_rows_request_their_keys() -> None:
    """Flat rows of one key request this key, and the parents of runs request one tag."""
    store = _store()
    result = await execute_query(store, '{ paramRows(key: "b") { value } runRows { parentRunId } }')
    assert result.data == {"paramRows": [{"value": "B"}] * 2, "runRows": [{"parentRunId": None}] * 2}
    requested = [arguments[-1].columns.keys for name, *arguments in store.requests if name == "runs"]
    assert requested == [{"params": {"b"}}, {"tags": {PARENT_TAG}}]
    assert store.calls == {"runs": 2}
