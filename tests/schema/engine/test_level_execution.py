"""The level-wise execution returns the same result as graphql-core, and completes lists itself."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strawberry.extensions import SchemaExtension

from schema.build import ROOT, build_schema
from schema.engine import chunked_json
from schema.engine.level_execution import LevelExecution
from schema.engine.operation import Operation
from schema.ports.errors import PublicError
from schema.ports.table import Many, Span, Table
from schema.types.filter_inputs import RunFilter
from tests.support.schema.comparison import execute_and_compare
from tests.support.schema.document_strategies import Query, queries
from tests.support.schema.execution import (
    LIMITS,
    SERVER_INFO,
    ChunkEncoder,
    execute_query,
)
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.schema.record_strategies import (
    corrupted_records,
    experiment,
    experiments,
    failing_stores,
    metric,
    point,
    run,
    stores,
    valid_records,
)

DEEP = """{ experiments { totalCount nodes { id name tags { key value } tag(key: "a")
  runs(first: 10) { totalCount pageInfo { endCursor } edges { cursor node {
    runId durationSeconds startedAt param(key: "a") params { key value } experiment { name }
    metric(key: "loss") { value series { steps values } }
    metrics { key step history { step timestamp value } }
  } } } } } }"""

# One call for each field that reads from the store. `tag` and `tags` are separate fields.
CALLS = {
    "experiments": 1,
    "count_experiments": 1,
    "experiment_tags": 2,
    "runs": 1,
    "count_runs": 1,
    "experiments_by_id": 1,
    "params": 2,
    "metrics": 2,
    "histories": 2,
}


@st.composite
def cases(draw: st.DrawFn) -> tuple[Query, MemoryTracking]:
    """Generate a query, and a store with invalid values or failing methods."""
    query = draw(queries())
    return query, draw(stores(corrupted_records(query.text)) | failing_stores())


@settings(max_examples=250, deadline=None)
@given(case=cases())
async def test_result_equals_item_by_item_result(case: tuple[Query, MemoryTracking]) -> None:
    """For any query and any data, the data and errors are those of graphql-core."""
    query, store = case
    level = await execute_and_compare(query, store)
    assert level.errors or level.fallbacks == []


@settings(max_examples=150, deadline=None)
@given(query=queries(), store=stores(valid_records()))
async def test_valid_data_does_not_fall_back(query: Query, store: MemoryTracking) -> None:
    """A result without errors has no fallbacks. With valid data, only arguments cause errors."""
    level = await execute_query(store, query)
    assert level.errors or level.fallbacks == []
    assert all(isinstance(error.original_error, PublicError) for error in level.errors)


@pytest.mark.parametrize("points", ["history { step value timestamp nonFinite }", "series { steps }"])
async def test_long_lists_are_encoded_in_chunks(points: str) -> None:
    """With an encoder, long lists are encoded in chunks of limited size, with the same result."""
    sizes = [0, 3, 9000, 1, 0, 4096, 5000]
    logged = [
        metric("r", f"m{index}", points=[point(step) for step in range(size)])
        for index, size in enumerate(sizes)
    ]
    store = MemoryTracking([experiment(runs=[run("r", metrics=logged)])])
    query = f"{{ runs {{ nodes {{ metrics {{ {points} }} }} }} }}"
    encoder = ChunkEncoder()
    level = await execute_query(store, query, encoder=encoder)
    assert level.data_and_order == (await execute_query(store, query)).data_and_order
    assert level.fallbacks == []
    assert sum(encoder.parts) == sum(sizes)
    assert max(encoder.parts) <= chunked_json.CHUNK_ROWS


async def test_selection_whose_fields_are_all_skipped() -> None:
    """A selection whose fields are all skipped returns an empty object for each row."""
    store = MemoryTracking(experiments(2, 0))
    level = await execute_and_compare(
        "{ experiments { nodes { name @skip(if: true) ... @include(if: false) { id } } } }", store
    )
    assert level.data == {"experiments": {"nodes": [{}, {}]}}
    assert level.fallbacks == []


async def test_selection_longer_than_compiled_builders() -> None:
    """A selection longer than the longest compiled builder returns all fields in order."""
    names = [f"x{number}" for number in range(300)]
    selections = " ".join(f"{name}: name" for name in names)
    level = await execute_and_compare(
        f"{{ experiments {{ nodes {{ {selections} }} }} }}", MemoryTracking(experiments(2, 0))
    )
    assert level.data is not None
    assert [list(node) for node in level.data["experiments"]["nodes"]] == [names, names]
    assert level.fallbacks == []


async def test_fragments_on_interface_select_by_type() -> None:
    """Fragments on Node, nested and named, select by the type of each node."""
    query = """
      { nodes(ids: ["UnVuOjAuMQ==", "RXhwZXJpbWVudDow", "UnVuOno=", "UnVuOjAuMQ=="]) { ...Either } }
      fragment Either on Node {
        __typename
        ... on Node { ...OfRun ... on Experiment { name runs { nodes { ...OfRun } } } }
      }
      fragment OfRun on Run {
        runId
        ... on Node { id ... on Experiment { name } ... on Run { experiment { name } } }
      }
    """
    level = await execute_and_compare(query, MemoryTracking(experiments(1, 2)))
    of_run = {"runId": "0.1", "id": "UnVuOjAuMQ==", "experiment": {"name": "experiment 0"}}
    assert level.data is not None
    a_run, an_experiment, nothing, again = level.data["nodes"]
    assert a_run == again == {"__typename": "Run", **of_run}
    assert an_experiment["runs"]["nodes"][1] == of_run
    assert nothing is None
    assert level.fallbacks == []


@pytest.mark.parametrize("spans", [[(1, 2), (0, 1)], [(0, 2), (0, 2)], [(1, 1), (0, 2)]])
async def test_lists_of_parents_may_overlap(spans: list[Span]) -> None:
    """The lists of parents may be in any order in their table, and share rows."""

    class Shuffled(MemoryTracking):
        async def params(self, *_: Any) -> Many:
            return Many(Table(2, {"key": ["a", "b"], "value": ["x", "y"]}), spans)

    level = await execute_and_compare(
        "{ runs { nodes { params { key value } } } }", Shuffled(experiments(1, 2))
    )
    assert level.data is not None
    assert [[pair["key"] for pair in node["params"]] for node in level.data["runs"]["nodes"]] == [
        ["a", "b"][start:stop] for start, stop in spans
    ]
    assert level.fallbacks == []


async def test_selections_with_common_nodes_are_distinct() -> None:
    """Two selections on one table that share some of their nodes are completed separately."""
    query = """{ runs { nodes { ...Tagged tags { key } } edges { node { ...Tagged } } } }
      fragment Tagged on Run { tags { value } }"""
    level = await execute_and_compare(query, MemoryTracking(experiments(1, 1), include_related=True))
    assert level.data == {
        "runs": {
            "nodes": [{"tags": [{"value": "blue", "key": "a"}]}],
            "edges": [{"node": {"tags": [{"value": "blue"}]}}],
        }
    }
    assert level.fallbacks == []


async def test_deeply_nested_query() -> None:
    """A query of the maximum depth of the parser does not exceed Python's recursion limit."""
    depth = 60
    query = "{ runs(first: 1) { nodes { runId " + "experiment { runs(first: 1) { nodes { runId " * depth
    store = MemoryTracking(experiments(1, 1))
    level = await execute_query(store, query + "}" * (3 * depth + 3))
    assert level.errors == []
    assert level.fallbacks == []
    assert store.calls == {"runs": depth + 1, "experiments_by_id": depth}


async def test_field_hooks_are_called_for_each_row() -> None:
    """An extension with a resolve hook is called for each row, as Strawberry documents."""
    seen = []

    class Hook(SchemaExtension):
        def resolve(self, _next: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(info.path.as_list())
            return _next(root, info, *args, **kwargs)

    operation = Operation(MemoryTracking(experiments(3, 0)), SERVER_INFO, LIMITS)
    result = await build_schema([Hook]).execute(
        "{ experiments { nodes { name } } }", root_value=ROOT, context_value=operation
    )
    assert result.errors is None
    assert [path for path in seen if path[-1] == "name"] == [
        ["experiments", "nodes", n, "name"] for n in range(3)
    ]


async def test_schema_uses_level_execution() -> None:
    """The built schema uses the level-wise execution context."""
    assert build_schema().execution_context_class is LevelExecution


@pytest.mark.parametrize("invalid", [False, True], ids=["valid", "one invalid row"])
async def test_number_of_store_calls_depends_on_depth_only(*, invalid: bool) -> None:
    """More experiments and runs make no more store calls, even if an invalid row causes a fallback."""
    calls = []
    for count in (2, 50):
        records = experiments(count, count)
        if invalid:
            records[-1]["runs"][-1]["metrics"][0]["points"][0]["value"] = float("nan")
        store = MemoryTracking(records)
        level = await execute_query(store, DEEP.replace("first: 10", f"first: {count}"))
        assert bool(level.errors) is bool(level.fallbacks) is invalid
        calls.append(store.calls)
    assert calls[0] == calls[1]
    assert calls[0] == CALLS


async def test_arguments_are_coerced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a field fails, its arguments and those of its siblings are not coerced for each row."""
    read: list[int] = []
    make = RunFilter.__init__

    def counted(self: RunFilter, **given: Any) -> None:
        read.append(1)
        make(self, **given)

    monkeypatch.setattr(RunFilter, "__init__", counted)
    query = "query ($w: RunFilter) { experiments { nodes { name runs(where: $w) { totalCount } } } }"
    store = MemoryTracking([experiment(str(number)) for number in range(50)])
    failed = await execute_query(store, query, {"w": {"param": [{"key": "no operator"}]}})
    assert failed.data is None
    assert "no operator" in failed.errors[0].message
    beside = query.replace("name", "name bad: runs(first: -1) { totalCount }")
    assert (await execute_query(store, beside, {"w": {"name": {"eq": "a"}}})).errors
    assert len(read) <= 4
