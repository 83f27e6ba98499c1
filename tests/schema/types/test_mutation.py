"""Mutations in the graph: in order, ended by the first failure, and read back."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLError, execute, parse, validate

from schema.build import ROOT, build_schema
from schema.engine.level_execution import LevelExecution
from schema.engine.operation import Operation
from schema.ports.errors import BadUserInput, NotFound, PublicError, StoreUnavailable
from schema.ports.tracking_writes import Batch, NewRun
from tests.support.memory_tracking import MemoryTracking
from tests.support.schema_execution import LIMITS, SERVER_INFO

SCHEMA = build_schema(writable=True)._schema  # noqa: SLF001
RUN_ID = "r1"


@dataclass
class Noted:
    """A store to write to that notes what it is asked for, and fails where it is told to."""

    failing: dict[str, PublicError] = field(default_factory=dict)
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def __getattr__(self, method: str) -> Any:
        """Return a method of the port."""

        async def note(*arguments: Any) -> str:
            self.asked.append((method, *arguments))
            if method in self.failing:
                raise self.failing[method]
            return RUN_ID

        return note


@pytest.fixture
def tracking() -> MemoryTracking:
    """Give a store with one run."""
    run: dict[str, Any] = {
        "run_id": RUN_ID,
        "name": "one",
        "status": "RUNNING",
        "lifecycle_stage": "ACTIVE",
        "params": [],
        "tags": [],
        "metrics": [],
    }
    return MemoryTracking([{"experiment_id": "1", "name": "e", "lifecycle_stage": "ACTIVE", "runs": [run]}])


async def answer(
    tracking: MemoryTracking, writing: Any, text: str, most: int = 100, **variables: Any
) -> ExecutionResult:
    """Run a valid document."""
    document = parse(text)
    assert validate(SCHEMA, document) == []
    operation = Operation(tracking, SERVER_INFO, replace(LIMITS, max_batch=most), writes=writing)
    result: Any = execute(
        SCHEMA,
        document,
        root_value=ROOT,
        context_value=operation,
        variable_values=variables,
        execution_context_class=LevelExecution,
    )
    result = result if isinstance(result, ExecutionResult) else await result
    operation.close()
    assert isinstance(result, ExecutionResult)
    return result


THREE = """mutation {
  a: deleteRun(input: {runId: "r1"}) { run { name } }
  b: endRun(input: {runId: "r1"%s}) { run { name } }
  __typename
  c: restoreRun(input: {runId: "r1"}) { run { name } }
}"""


async def test_changes_are_made_in_order(tracking: MemoryTracking) -> None:
    """Each change is made and read back before the next is begun, and the answer has them in order."""
    noted = Noted()
    tracking.pauses["runs_by_id"] = 5
    noted.asked = tracking.asked
    result = await answer(tracking, noted, THREE % "")
    assert result.errors is None
    assert list(result.data or {}) == ["a", "b", "__typename", "c"]
    methods = [method for method, *_ in tracking.asked]
    assert methods == ["delete_run", "runs_by_id", "update_run", "runs_by_id", "restore_run", "runs_by_id"]


@pytest.mark.parametrize(
    ("failing", "argument"),
    [
        ({"update_run": BadUserInput("no")}, ""),
        ({}, ", status: RUNNING"),
    ],
)
async def test_what_follows_a_failure_is_not_begun(
    tracking: MemoryTracking, failing: dict[str, PublicError], argument: str
) -> None:
    """Where a change fails, at the store or by its arguments, none that follows is begun."""
    noted = Noted(failing)
    result = await answer(tracking, noted, THREE % argument)
    assert result.data is None
    assert [error.path for error in result.errors or ()] == [["b"]]
    assert [method for method, *_ in noted.asked if method != "update_run"] == ["delete_run"]


async def test_a_failure_below_ends_it_too(tracking: MemoryTracking) -> None:
    """What was changed but cannot be shown as selected is a failure: nothing that follows is begun."""
    noted = Noted()
    tracking.failing["params"] = StoreUnavailable("gone")
    text = """mutation {
      a: deleteRun(input: {runId: "r1"}) { run { params { key } } }
      b: restoreRun(input: {runId: "r1"}) { run { name } }
    }"""
    result = await answer(tracking, noted, text)
    assert result.data is None
    assert [method for method, *_ in noted.asked] == ["delete_run"]


async def test_reading_back_fails(tracking: MemoryTracking) -> None:
    """A change that was made and cannot be read back says so, in the code of what went wrong."""
    tracking.failing["runs_by_id"] = StoreUnavailable("gone")
    result = await answer(tracking, Noted(), 'mutation { deleteRun(input: {runId: "r1"}) { run { name } } }')
    (error,) = result.errors or [GraphQLError("none")]
    assert isinstance(error.original_error, StoreUnavailable)
    assert str(error.original_error).startswith("The change was made, but")


async def test_what_was_changed_is_not_found(tracking: MemoryTracking) -> None:
    """A change that was made of what is not there under its id, or not any more, says so too."""
    text = 'mutation { deleteExperiment(input: {experimentId: "01"}) { experiment { name } } }'
    (error,) = (await answer(tracking, Noted(), text)).errors or [GraphQLError("none")]
    assert isinstance(error.original_error, NotFound)
    assert str(error.original_error).startswith("The change was made, but the experiment '01' does not exist")


async def test_only_what_is_selected_is_read_back(tracking: MemoryTracking) -> None:
    """Of what was changed only the selected columns are read."""
    await answer(tracking, Noted(), 'mutation { deleteRun(input: {runId: "r1"}) { run { name } } }')
    assert tracking.asked == [("runs_by_id", [RUN_ID], frozenset({"name"}))]


@pytest.mark.parametrize(
    "metric",
    [
        '{key: "m"}',
        '{key: "m", value: 1, nonFinite: NAN}',
        '{key: "m", value: null, nonFinite: null}',
    ],
)
async def test_a_value_or_what_it_is_instead(tracking: MemoryTracking, metric: str) -> None:
    """A metric has exactly one of value and nonFinite, and the message says which has not."""
    noted = Noted()
    text = 'mutation { logBatch(input: {runId: "r1", metrics: [{key: "k", value: 0}, %s]}) { run { name } } }'
    result = await answer(tracking, noted, text % metric)
    (error,) = result.errors or [GraphQLError("none")]
    assert isinstance(error.original_error, BadUserInput)
    assert "metrics[1] takes exactly one" in error.message
    assert noted.asked == []


async def test_a_value_is_finite(tracking: MemoryTracking) -> None:
    """A number that is too large for a float is refused, and not logged as an infinity."""
    noted = Noted()
    text = 'mutation { logBatch(input: {runId: "r1", metrics: [{key: "m", value: 1e400}]}) { run { name } } }'
    (error,) = (await answer(tracking, noted, text)).errors or [GraphQLError("none")]
    assert isinstance(error.original_error, BadUserInput)
    assert error.message == "metrics[0].value is too large. Use nonFinite for infinities."
    assert noted.asked == []


async def test_what_is_logged_reaches_the_port(tracking: MemoryTracking) -> None:
    """A batch keeps its order, a step of 64 bits and a time, and metrics without one share a moment."""
    noted = Noted()
    text = """mutation { logBatch(input: {runId: "r1", metrics: [
      {key: "a", value: 1, step: 9223372036854775807, timestamp: "1970-01-01T00:00:01Z"},
      {key: "b", nonFinite: NEGATIVE_INFINITY}, {key: "c", value: 0}],
      params: [{key: "p", value: "1"}], tags: [{key: "t", value: "2"}]}) { run { name } } }"""
    assert (await answer(tracking, noted, text)).errors is None
    ((method, run_id, batch),) = noted.asked
    assert (method, run_id) == ("log_batch", RUN_ID)
    assert isinstance(batch, Batch)
    assert batch.metrics[0] == ("a", 1.0, 1000, 2**63 - 1)
    assert batch.metrics[1][:2] == ("b", float("-inf"))
    assert batch.metrics[1].timestamp == batch.metrics[2].timestamp
    assert (batch.params, batch.tags) == ([("p", "1")], [("t", "2")])


async def test_a_document_changes_no_more_than_it_may(tracking: MemoryTracking) -> None:
    """The things that a document changes are counted over all its fields, before the store is asked."""
    noted = Noted()
    text = """mutation ($tags: [TagInput!]!) {
      a: setRunTags(input: {runId: "r1", tags: $tags}) { run { name } }
      b: setRunTags(input: {runId: "r1", tags: $tags}) { run { name } }
    }"""
    tags = [{"key": str(number), "value": ""} for number in range(3)]
    result = await answer(tracking, noted, text, most=5, tags=tags)
    assert [error.path for error in result.errors or ()] == [["b"]]
    assert "at most 5 objects (GQL_MAX_BATCH)" in str(result.errors)
    assert len(noted.asked) == 1


async def test_a_run_to_start(tracking: MemoryTracking) -> None:
    """What is left out, or null, of a run to start is left to the store."""
    noted = Noted()
    text = 'mutation { startRun(input: {experimentId: "1", name: null}) { run { name } } }'
    assert (await answer(tracking, noted, text)).data == {"startRun": {"run": {"name": "one"}}}
    assert noted.asked == [("start_run", NewRun("1", tags=[]))]
