"""The plan of a query: what it covers, how often it calls the store, and how it waits for the store."""

import asyncio
from typing import Any

import pytest
from graphql import parse

from schema.build import ROOT, build_schema
from schema.engine.execution import execute_operation
from schema.engine.operation import Operation
from schema.engine.operation_plan import MAX_VARIANTS, OperationPlans
from schema.ports.errors import BadUserInput, NotFound
from schema.ports.table import One
from tests.support.schema.comparison import execute_and_compare
from tests.support.schema.document_strategies import SCHEMA, Query
from tests.support.schema.execution import LIMITS, SERVER_INFO, execute_planned, plans_of
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.schema.record_strategies import experiments

RUN = "runId name params { key value } metrics { key value }"


def _store(**options: Any) -> MemoryTracking:
    return MemoryTracking(experiments(2, 2), **options)


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("{ __typename }", 0),
        ("{ server { version } }", 0),
        ("{ server { features } }", 1),
        (f'{{ run(runId: "0.0") {{ {RUN} param(key: "a") tag(key: "a") }} }}', 1),
        (f'{{ run(runId: "0.0") {{ {RUN} parent {{ runId }} }} }}', 2),
        ('{ run(runId: "0.0") { metrics { history { step } } } }', 2),
        ("{ runs { nodes { runId } edges { cursor } pageInfo { endCursor } } }", 1),
        ("{ runs { totalCount nodes { runId } } }", 2),
        ('{ runs(experimentNames: ["a"]) { nodes { runId } } }', 2),
        ("{ runs { __typename } }", 0),
        ("{ a: runs { nodes { runId } } b: runs { nodes { runId } } }", 2),
        ('{ experiments { nodes { tag(key: "a") } } }', 2),
        ('{ compareRuns(runIds: ["0.0"]) { params { key } runs { runId } } }', 1),
        ("{ paramRows { key } }", 2),
        ('{ node(id: "UnVuOjAuMA==") { id } }', 1),
    ],
)
def test_calls_of_a_plan(text: str, reads: int) -> None:
    """A plan states how often it calls the store at most, without calls for data that comes with runs."""
    planned = plans_of(text).planned({})
    assert planned is not None
    assert planned.plan.reads == reads


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        pytest.param("{ __schema { queryType { name } } }", {}, id="introspection"),
        pytest.param(
            '{ __type(name: "Run") { name } server { version } }', {}, id="introspection beside fields"
        ),
        pytest.param("query ($id: ID!) { run(runId: $id) { runId } }", {}, id="missing variable"),
        pytest.param("query ($id: ID!) { run(runId: $id) { runId } }", {"id": None}, id="null"),
        pytest.param("query ($id: ID!) { run(runId: $id) { runId } }", {"id": [1]}, id="invalid variable"),
        pytest.param(
            "query ($w: RunFilter) { runs(where: $w) { totalCount } }", {"w": {"zz": 1}}, id="invalid object"
        ),
        pytest.param(
            "query ($yes: Boolean = true) { runs { totalCount @skip(if: $yes) } }",
            {"yes": None},
            id="null if",
        ),
    ],
)
async def test_what_has_no_plan(text: str, variables: dict[str, Any]) -> None:
    """Introspection and invalid variables are left to graphql-core."""
    assert plans_of(text).planned(variables) is None
    result = await execute_operation(
        SCHEMA,
        parse(text),
        None,
        root=ROOT,
        operation=Operation(_store(), SERVER_INFO, LIMITS),
        variables=variables,
    )
    assert result.errors or result.data


def test_mutation_has_no_plan() -> None:
    """A mutation is executed by graphql-core."""
    schema = build_schema(writable=True)._schema  # noqa: SLF001 - as the server takes it
    document = parse('mutation { deleteRun(input: {runId: "a"}) { run { runId } } }')
    operation: Any = document.definitions[0]
    assert OperationPlans(schema, document, operation).planned({}) is None


def test_plan_is_made_once_for_each_condition() -> None:
    """Requests share a plan unless a variable of a directive differs; the number of plans is limited."""
    names = [f"v{number}" for number in range(4)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    text = f'query ({declared}, $key: String! = "a") {{ runs {{ nodes {{'
    text += " ".join(f"{name}: param(key: $key) @include(if: ${name})" for name in names) + "} } }"
    plans = plans_of(text)
    values = [dict.fromkeys(names, False) | dict.fromkeys(names[:count], True) for count in range(5)]
    planned = [plans.planned(value) for value in values]
    again = [plans.planned(value | {"key": "b"}) for value in values]
    assert [each and each.plan for each in planned] == [each and each.plan for each in again]
    assert len({each.plan for each in planned if each}) == 5
    others = [
        plans.planned({name: bool(number >> bit & 1) for bit, name in enumerate(names)})
        for number in range(16)
    ]
    assert len({each.plan for each in (*planned, *others) if each}) == MAX_VARIANTS
    assert None in others
    assert plans.size == sum(plan.size for plan in {each.plan for each in (*planned, *others) if each})


@pytest.mark.parametrize(
    "variables", [{}, {"no": False}, {"no": True, "keys": ["lr"]}, {"key": "zz", "keys": None}]
)
async def test_variables_select_fields_and_keys(variables: dict[str, Any]) -> None:
    """One plan serves all values of variables in arguments; directives select fields."""
    text = """query ($no: Boolean! = true, $key: String! = "a", $keys: [String!]) { runs { nodes { runId
      x: param(key: $key) param(key: "a") ... @skip(if: $no) { params(keys: $keys) { key } ...F } } } }
      fragment F on Node { ... on Run { tags(keys: $keys) @include(if: $no) { key } id } }"""
    result = await execute_and_compare(Query(text, variables), _store(include_related=True))
    assert result.errors == []


async def test_single_read_runs_in_one_task() -> None:
    """A query that waits for one call at a time makes no task."""
    tasks: set[Any] = set()

    class Observed(MemoryTracking):
        async def runs_by_id(self, *arguments: Any) -> One:
            tasks.update(asyncio.all_tasks())
            return await super().runs_by_id(*arguments)

    store = Observed(experiments(1, 1), include_related=True)
    result = await execute_planned(store, f'{{ run(runId: "0.0") {{ {RUN} parent {{ name }} }} }}')
    assert result.errors == []
    assert tasks == {asyncio.current_task()}


async def test_several_reads_run_at_the_same_time() -> None:
    """Calls for the fields of one level are in flight together, as a distant store needs it."""
    started = asyncio.Event()
    waiting = 0

    class Meeting(MemoryTracking):
        async def record_call(self, method: str, *arguments: Any) -> None:
            nonlocal waiting
            await super().record_call(method, *arguments)
            if method in {"params", "tags", "metrics"}:
                waiting += 1
                if waiting == 3:
                    started.set()
                await started.wait()

    query = f'{{ run(runId: "0.0") {{ {RUN} tags {{ key }} }} }}'
    result = await asyncio.wait_for(execute_planned(Meeting(experiments(1, 1)), query), 30)
    assert (result.errors, result.fallbacks) == ([], [])


async def test_error_is_reported_while_another_call_runs() -> None:
    """An invalid argument is reported at once, although a call that began before it has not returned."""
    never = asyncio.Event()

    class Slow(MemoryTracking):
        async def experiments(self, *_: Any) -> Any:
            await never.wait()

    query = "{ experiments { nodes { name } } runs(first: -1) { totalCount } }"
    result = await asyncio.wait_for(execute_planned(Slow([]), query), 30)
    assert result.data is None
    assert isinstance(result.errors[0].original_error, BadUserInput)


async def test_call_in_flight_is_not_repeated() -> None:
    """graphql-core waits for a call of the plan that has not returned when another field fails."""
    store = _store(pauses={"experiments_by_id": 20}, failing={"runs_by_id": NotFound("gone")})
    query = '{ experiment(experimentId: "0") { name } run(runId: "0.0") { runId } }'
    result = await execute_planned(store, query)
    assert result.data == {"experiment": {"name": "experiment 0"}, "run": None}
    assert result.messages == ["gone"]
    assert store.calls == {"experiments_by_id": 1, "runs_by_id": 1}


@pytest.mark.parametrize("pauses", [0, 5])
async def test_error_below_a_list_calls_the_store_once(pauses: int) -> None:
    """A failing field of a nested list is reported for each row, without further calls."""
    store = _store(failing={"metrics": NotFound("gone")}, pauses={"params": pauses})
    query = "{ experiments { nodes { name runs { nodes { params { key } metrics { key } } } } } }"
    result = await execute_planned(store, query)
    assert set(result.messages) == {"gone"}
    assert set(store.calls.values()) == {1}


async def test_chains_of_levels_do_not_exceed_the_stack() -> None:
    """A plan of the maximum depth of the parser does not exceed Python's recursion limit."""
    depth = 60
    query = "{ runs(first: 1) { nodes { runId " + "experiment { runs(first: 1) { nodes { runId " * depth
    store = MemoryTracking(experiments(1, 1))
    result = await execute_planned(store, query + "}" * (3 * depth + 3))
    assert (result.errors, result.fallbacks) == ([], [])
    assert store.calls == {"runs": depth + 1, "experiments_by_id": depth}
