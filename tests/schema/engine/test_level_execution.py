"""Level by level and item by item give one answer, and it is level by level that gives it."""

from typing import Any

import pytest
from graphql import GraphQLError
from hypothesis import given, settings
from hypothesis import strategies as st
from strawberry.extensions import SchemaExtension

from schema.build import ROOT, build_schema
from schema.engine import chunked_json
from schema.engine import level as level_module
from schema.engine.level_execution import LevelExecution
from schema.engine.operation import Operation
from schema.ports.errors import NotFound, PublicError
from schema.ports.table import Many, Span, Table
from schema.types.filter_inputs import RunFilter
from tests.support.document_strategies import Query, queries
from tests.support.memory_tracking import MemoryTracking
from tests.support.record_strategies import (
    Odd,
    experiment,
    experiments,
    failing,
    metric,
    point,
    run,
    sound,
    spoiled,
    stores,
)
from tests.support.schema_execution import (
    LIMITS,
    SERVER_INFO,
    Answer,
    Complaints,
    EveryError,
    InParts,
    ItemByItem,
    answer,
)

DEEP = """{ experiments { totalCount nodes { id name tags { key value } tag(key: "a")
  runs(first: 10) { totalCount pageInfo { endCursor } edges { cursor node {
    runId durationSeconds startedAt param(key: "a") params { key value } experiment { name }
    metric(key: "loss") { value series { steps values } }
    metrics { key step history { step timestamp value } }
  } } } } } }"""

# Each field that asks the store, once; `tag` beside `tags` is a field of its own.
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
    """Generate a query with a store that spoils some of what it reads, or fails."""
    query = draw(queries())
    return query, draw(stores(spoiled(query.text)) | failing())


@settings(max_examples=250, deadline=None)
@given(case=cases())
async def test_both_ways_give_one_answer(case: tuple[Query, MemoryTracking]) -> None:
    """Whatever the query, and however bad the data, the data and the errors are graphql-core's."""
    query, store = case
    level = await _agreed(query, store)
    assert level.errors or level.ordinary == []


@settings(max_examples=150, deadline=None)
@given(query=queries(), store=stores(sound()))
async def test_sound_data_goes_level_by_level(query: Query, store: MemoryTracking) -> None:
    """An answer without errors never falls back to items; only arguments go wrong over sound data."""
    level = await answer(store, query)
    assert level.errors or level.ordinary == []
    assert all(isinstance(error.original_error, PublicError) for error in level.errors)


async def _agreed(query: str | Query, store: MemoryTracking) -> Answer:
    level = await answer(store, query)
    reference = await answer(store, query, by=ItemByItem)
    with pytest.MonkeyPatch.context() as patch:
        for module in (chunked_json, level_module):
            patch.setattr(module, "CHUNK_ROWS", 2)
        encoded = await answer(store, query, encoder=InParts())
    assert level.data_and_order == encoded.data_and_order == reference.data_and_order
    if level.errors or encoded.errors or reference.errors:
        possible = (await answer(store, query, by=EveryError)).complaints(level.data)
        _tells_alike(level, reference, possible)
        _tells_alike(encoded, reference, possible)
    return level


def _tells_alike(one: Answer, reference: Answer, possible: Complaints) -> None:
    told, expected = one.complaints(reference.data), reference.complaints(reference.data)
    assert len(one.errors) == sum(map(len, told.values()))
    assert told.keys() == expected.keys() == possible.keys()
    for place, complaints in possible.items():
        # Where several errors compete for a place, any of them may be the one that is told.
        assert told[place] == expected[place] or (len(complaints) > 1 and told[place] <= complaints)


async def test_long_lists_are_encoded_in_parts() -> None:
    """With an encoder, long lists of leaves are encoded in bounded parts, and stay what they were."""
    sizes = [0, 3, 9000, 1, 0, 4096, 5000]
    logged = [
        metric("r", f"m{place}", points=[point(step) for step in range(size)])
        for place, size in enumerate(sizes)
    ]
    store = MemoryTracking([experiment(runs=[run("r", metrics=logged)])])
    query = "{ runs { nodes { metrics { history { step value timestamp nonFinite } } } } }"
    encoder = InParts()
    level = await answer(store, query, encoder=encoder)
    assert level.data_and_order == (await answer(store, query)).data_and_order
    assert level.ordinary == []
    assert sum(encoder.parts) == sum(sizes)
    assert max(encoder.parts) <= chunked_json.CHUNK_ROWS


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        pytest.param("name", None, "Cannot return null for non-nullable field Experiment.name.", id="null"),
        pytest.param("name", NotFound("gone"), "gone", id="a fault that String could write"),
        pytest.param("name", ValueError("boom"), "boom", id="an error"),
        pytest.param("name", GraphQLError("located"), "located", id="an error of GraphQL"),
        pytest.param("name", [1], "String cannot represent value: [1]", id="no text"),
        pytest.param("experiment_id", NotFound("gone"), "gone", id="a fault that ID could write"),
        pytest.param(
            "lifecycle_stage", "BOGUS", "Enum 'LifecycleStage' cannot represent value: 'BOGUS'", id="enum"
        ),
        pytest.param(
            "lifecycle_stage", [], "Enum 'LifecycleStage' cannot represent value: []", id="unhashable"
        ),
    ],
)
async def test_bad_value_in_a_required_place(name: str, value: Any, message: str) -> None:
    """A bad value in a non-null place nulls what may be null above it, and is told once with its place."""
    store = MemoryTracking([experiment("0"), experiment("1", runs=[]) | {name: value}])
    level = await _agreed("{ experiments(view: ALL) { nodes { experimentId name lifecycleStage } } }", store)
    field = {"experiment_id": "experimentId", "lifecycle_stage": "lifecycleStage"}.get(name, name)
    assert level.data is None
    assert [(error.message, error.path) for error in level.errors] == [
        (message, ["experiments", "nodes", 1, field])
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "Float cannot represent non numeric value: nan"),
        (float("-inf"), "Float cannot represent non numeric value: -inf"),
        ("high", "Float cannot represent non numeric value: 'high'"),
        (NotFound("gone"), "gone"),
    ],
)
async def test_bad_value_in_an_optional_place(value: Any, message: str) -> None:
    """A bad value in a nullable place is null there alone, and each row of it is told."""
    bad = [point(0), point(1, value=value), point(2), point(3, value=value)]
    store = MemoryTracking([experiment(runs=[run("r", metrics=[metric("r", points=bad)])])])
    level = await _agreed("{ runs { nodes { metrics { history { value } series { values } } } } }", store)
    (found,) = level.data["runs"]["nodes"][0]["metrics"]  # type: ignore[index]
    assert [each["value"] for each in found["history"]] == found["series"]["values"] == [0.0, None, 1.0, None]
    assert level.messages == [message] * 4


async def test_values_that_a_leaf_converts() -> None:
    """What graphql-core's scalars convert is converted here too, and needs no second way."""
    odd = experiment(name=Odd(), artifact_location=True, runs=[]) | {"experiment_id": 7}
    store = MemoryTracking([odd, experiment("1", name=2.5)])
    level = await _agreed("{ experiments { nodes { experimentId name artifactLocation } } }", store)
    assert level.data == {
        "experiments": {
            "nodes": [
                {"experimentId": "7", "name": "odd", "artifactLocation": "true"},
                {"experimentId": "1", "name": "2.5", "artifactLocation": "here"},
            ]
        }
    }
    assert level.ordinary == []


async def test_selection_of_nothing() -> None:
    """A selection whose every field is skipped gives an empty object for each row."""
    store = MemoryTracking(experiments(2, 0))
    level = await _agreed(
        "{ experiments { nodes { name @skip(if: true) ... @include(if: false) { id } } } }", store
    )
    assert level.data == {"experiments": {"nodes": [{}, {}]}}
    assert level.ordinary == []


async def test_long_selection() -> None:
    """A selection longer than what is compiled is answered all the same, in its order."""
    names = [f"x{number}" for number in range(300)]
    asked = " ".join(f"{name}: name" for name in names)
    level = await _agreed(f"{{ experiments {{ nodes {{ {asked} }} }} }}", MemoryTracking(experiments(2, 0)))
    assert level.data is not None
    assert [list(node) for node in level.data["experiments"]["nodes"]] == [names, names]
    assert level.ordinary == []


async def test_shared_row_is_told_of_at_each_place() -> None:
    """Rows that share one bad row of another table each have its error at their own path."""
    store = MemoryTracking([experiment(name=None)])
    level = await _agreed("{ runs { nodes { runId experiment { name } } } }", store)
    assert level.data == {
        "runs": {"nodes": [{"runId": "0.0", "experiment": None}, {"runId": "0.1", "experiment": None}]}
    }
    assert [error.path for error in level.errors] == [
        ["runs", "nodes", number, "experiment", "name"] for number in (0, 1)
    ]


async def test_bad_row_leaves_its_siblings() -> None:
    """One bad run costs its own experiment's page nothing but itself where the place above may be null."""
    bad = [run("0.0", "9"), run("0.1", "0", status=None)]
    store = MemoryTracking([experiment("0", runs=bad), experiment("1")])
    level = await _agreed(
        '{ a: run(runId: "0.0") { status experiment { name } } b: run(runId: "0.1") { status } }', store
    )
    assert level.data == {"a": {"status": "FINISHED", "experiment": None}, "b": None}
    assert [error.path for error in level.errors] == [["b", "status"]]


async def test_interface_by_each_type() -> None:
    """Fragments on Node, nested in one another and in named ones, select by the type of each node."""
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
    level = await _agreed(query, MemoryTracking(experiments(1, 2)))
    of_run = {"runId": "0.1", "id": "UnVuOjAuMQ==", "experiment": {"name": "experiment 0"}}
    assert level.data is not None
    a_run, an_experiment, nothing, again = level.data["nodes"]
    assert a_run == again == {"__typename": "Run", **of_run}
    assert an_experiment["runs"]["nodes"][1] == of_run
    assert nothing is None
    assert level.ordinary == []


@pytest.mark.parametrize(("values", "found_out"), [("x", True), ("xy", False), ("xyz", False)])
async def test_columns_of_other_lengths(values: str, *, found_out: bool) -> None:
    """A store that answers for too few rows or too many is never zipped short: rows are taken one by one."""

    class Broken(MemoryTracking):
        async def params(self, *_: Any) -> Many:
            return Many(Table(2, {"key": ["a", "b"], "value": list(values)}), [(0, 1), (1, 2)])

    level = await _agreed("{ runs { nodes { params { key value } } } }", Broken(experiments(1, 2)))
    assert bool(level.errors) is found_out
    assert (["runs", "nodes"] in level.ordinary) is (len(values) != 2)


@pytest.mark.parametrize("spans", [[(1, 2), (0, 1)], [(0, 2), (0, 2)], [(1, 1), (0, 2)]])
async def test_lists_in_any_order(spans: list[Span]) -> None:
    """The lists of parents may stand in any order in their table, and share its rows."""

    class Shuffled(MemoryTracking):
        async def params(self, *_: Any) -> Many:
            return Many(Table(2, {"key": ["a", "b"], "value": ["x", "y"]}), spans)

    level = await _agreed("{ runs { nodes { params { key value } } } }", Shuffled(experiments(1, 2)))
    assert level.data is not None
    assert [[pair["key"] for pair in node["params"]] for node in level.data["runs"]["nodes"]] == [
        ["a", "b"][start:stop] for start, stop in spans
    ]
    assert level.ordinary == []


async def test_fragment_that_merges_in_one_place_only() -> None:
    """Two selections of one table that begin alike and do not end alike are two selections."""
    query = """{ runs { nodes { ...Tagged tags { key } } edges { node { ...Tagged } } } }
      fragment Tagged on Run { tags { value } }"""
    level = await _agreed(query, MemoryTracking(experiments(1, 1), along=True))
    assert level.data == {
        "runs": {
            "nodes": [{"tags": [{"value": "blue", "key": "a"}]}],
            "edges": [{"node": {"tags": [{"value": "blue"}]}}],
        }
    }
    assert level.ordinary == []


async def test_deep_nesting() -> None:
    """A query as deep as the parser allows is answered, not ended by Python's recursion limit."""
    depth = 60
    query = "{ runs(first: 1) { nodes { runId " + "experiment { runs(first: 1) { nodes { runId " * depth
    store = MemoryTracking(experiments(1, 1))
    level = await answer(store, query + "}" * (3 * depth + 3))
    assert level.errors == []
    assert level.ordinary == []
    assert store.calls == {"runs": depth + 1, "experiments_by_id": depth}


async def test_hooks_see_every_row() -> None:
    """An extension that hooks into each field's resolver is called for each row, as Strawberry promises."""
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


async def test_strawberry_runs_it_level_by_level() -> None:
    """The schema as built carries the level-wise execution along."""
    assert build_schema().execution_context_class is LevelExecution


@pytest.mark.parametrize("spoil", [False, True], ids=["sound", "one bad row"])
async def test_calls_depend_on_depth_alone(*, spoil: bool) -> None:
    """More experiments and runs make no more store calls, not even where one row forces the ordinary way."""
    calls = []
    for count in (2, 50):
        records = experiments(count, count)
        if spoil:
            records[-1]["runs"][-1]["metrics"][0]["points"][0]["value"] = float("nan")
        store = MemoryTracking(records)
        level = await answer(store, DEEP.replace("first: 10", f"first: {count}"))
        assert bool(level.errors) is bool(level.ordinary) is spoil
        calls.append(store.calls)
    assert calls[0] == calls[1]
    assert calls[0] == CALLS


async def test_arguments_are_not_read_for_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a field fails, neither its arguments nor those beside it are made objects for each row."""
    read: list[int] = []
    make = RunFilter.__init__

    def counted(self: RunFilter, **given: Any) -> None:
        read.append(1)
        make(self, **given)

    monkeypatch.setattr(RunFilter, "__init__", counted)
    query = "query ($w: RunFilter) { experiments { nodes { name runs(where: $w) { totalCount } } } }"
    store = MemoryTracking([experiment(str(number)) for number in range(50)])
    failed = await answer(store, query, {"w": {"param": [{"key": "no operator"}]}})
    assert failed.data is None
    assert "no operator" in failed.errors[0].message
    beside = query.replace("name", "name bad: runs(first: -1) { totalCount }")
    assert (await answer(store, beside, {"w": {"name": {"eq": "a"}}})).errors
    assert len(read) <= 4
