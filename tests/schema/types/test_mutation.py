"""Mutations run in order, end at the first error, and read changed objects back."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLError, execute, parse, validate

from schema.build import ROOT, build_schema
from schema.engine.level_execution import LevelExecution
from schema.engine.operation import Operation
from schema.ports.errors import BadUserInput, NotFound, PublicError, StoreUnavailable
from schema.ports.tracking_writes import Batch, NewRun
from tests.support.schema.execution import LIMITS, SERVER_INFO
from tests.support.schema.memory_tracking import MemoryTracking

SCHEMA = build_schema(writable=True)._schema  # noqa: SLF001
RUN_ID = "r1"
DELETE_RUN = 'mutation { deleteRun(input: {runId: "r1"}) { run { name } } }'


@dataclass
class RecordingWrites:
    """A port for changes that records its calls and fails as configured."""

    failing: dict[str, PublicError] = field(default_factory=dict)
    requests: list[tuple[Any, ...]] = field(default_factory=list)

    def __getattr__(self, method: str) -> Any:
        """Return a method of the port."""

        async def record(*arguments: Any) -> str:
            self.requests.append((method, *arguments))
            if method in self.failing:
                raise self.failing[method]
            return RUN_ID

        return record


@pytest.fixture
def tracking() -> MemoryTracking:
    """Return a store with one run."""
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


async def execute_mutation(
    tracking: MemoryTracking, writes: Any, text: str, max_batch: int = 100, **variables: Any
) -> ExecutionResult:
    """Execute a valid document."""
    document = parse(text)
    assert validate(SCHEMA, document) == []
    operation = Operation(tracking, SERVER_INFO, replace(LIMITS, max_batch=max_batch), writes=writes)
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
    """Each change is made and read back before the next one starts, and the result is in order."""
    recording = RecordingWrites()
    tracking.pauses["runs_by_id"] = 5
    recording.requests = tracking.requests
    result = await execute_mutation(tracking, recording, THREE % "")
    assert result.errors is None
    assert list(result.data or {}) == ["a", "b", "__typename", "c"]
    methods = [method for method, *_ in tracking.requests]
    assert methods == ["delete_run", "runs_by_id", "update_run", "runs_by_id", "restore_run", "runs_by_id"]


@pytest.mark.parametrize(
    ("failing", "argument"),
    [
        ({"update_run": BadUserInput("no")}, ""),
        ({}, ", status: RUNNING"),
    ],
)
async def test_fields_after_an_error_do_not_run(
    tracking: MemoryTracking, failing: dict[str, PublicError], argument: str
) -> None:
    """After an error of the store or of an argument, no later change starts."""
    recording = RecordingWrites(failing)
    result = await execute_mutation(tracking, recording, THREE % argument)
    assert result.data is None
    assert [error.path for error in result.errors or ()] == [["b"]]
    assert [method for method, *_ in recording.requests if method != "update_run"] == ["delete_run"]


async def test_error_in_a_payload_ends_the_mutation(tracking: MemoryTracking) -> None:
    """An error in the selection of a payload also ends the mutation."""
    recording = RecordingWrites()
    tracking.failing["params"] = StoreUnavailable("gone")
    text = """mutation {
      a: deleteRun(input: {runId: "r1"}) { run { params { key } } }
      b: restoreRun(input: {runId: "r1"}) { run { name } }
    }"""
    result = await execute_mutation(tracking, recording, text)
    assert result.data is None
    assert [method for method, *_ in recording.requests] == ["delete_run"]


async def test_error_while_reading_back_reports_the_change(tracking: MemoryTracking) -> None:
    """If reading back fails, the error has the code of the failure and reports that the change was made."""
    tracking.failing["runs_by_id"] = StoreUnavailable("gone")
    result = await execute_mutation(
        tracking, RecordingWrites(), 'mutation { deleteRun(input: {runId: "r1"}) { run { name } } }'
    )
    (error,) = result.errors or [GraphQLError("none")]
    assert isinstance(error.original_error, StoreUnavailable)
    assert str(error.original_error).startswith("The change was made, but")


async def test_missing_object_after_change_reports_the_change(tracking: MemoryTracking) -> None:
    """If the changed object does not exist afterwards, the error reports that the change was made."""
    text = 'mutation { deleteExperiment(input: {experimentId: "01"}) { experiment { name } } }'
    (error,) = (await execute_mutation(tracking, RecordingWrites(), text)).errors or [GraphQLError("none")]
    assert isinstance(error.original_error, NotFound)
    assert str(error.original_error).startswith("The change was made, but the experiment '01' does not exist")


async def test_only_selected_columns_are_read_back(tracking: MemoryTracking) -> None:
    """Reading back requests the selected columns only."""
    await execute_mutation(
        tracking, RecordingWrites(), 'mutation { deleteRun(input: {runId: "r1"}) { run { name } } }'
    )
    assert tracking.requests == [("runs_by_id", [RUN_ID], frozenset({"name"}))]


@pytest.mark.parametrize(
    "metric",
    [
        '{key: "m"}',
        '{key: "m", value: 1, nonFinite: NAN}',
        '{key: "m", value: null, nonFinite: null}',
    ],
)
async def test_metric_takes_exactly_one_of_value_and_non_finite(
    tracking: MemoryTracking, metric: str
) -> None:
    """A metric takes exactly one of value and nonFinite, and the message names the entry."""
    recording = RecordingWrites()
    text = 'mutation { logBatch(input: {runId: "r1", metrics: [{key: "k", value: 0}, %s]}) { run { name } } }'
    result = await execute_mutation(tracking, recording, text % metric)
    (error,) = result.errors or [GraphQLError("none")]
    assert isinstance(error.original_error, BadUserInput)
    assert "metrics[1] takes exactly one" in error.message
    assert recording.requests == []


async def test_infinite_value_is_refused(tracking: MemoryTracking) -> None:
    """A number that is too large for a float is refused and not logged as an infinity."""
    recording = RecordingWrites()
    text = 'mutation { logBatch(input: {runId: "r1", metrics: [{key: "m", value: 1e400}]}) { run { name } } }'
    (error,) = (await execute_mutation(tracking, recording, text)).errors or [GraphQLError("none")]
    assert isinstance(error.original_error, BadUserInput)
    assert error.message == "metrics[0].value is too large. Use nonFinite for infinities."
    assert recording.requests == []


async def test_batch_reaches_the_port_unchanged(tracking: MemoryTracking) -> None:
    """A batch has its order, 64-bit steps and timestamps; metrics without a timestamp share one."""
    recording = RecordingWrites()
    text = """mutation { logBatch(input: {runId: "r1", metrics: [
      {key: "a", value: 1, step: 9223372036854775807, timestamp: "1970-01-01T00:00:01Z"},
      {key: "b", nonFinite: NEGATIVE_INFINITY}, {key: "c", value: 0}],
      params: [{key: "p", value: "1"}], tags: [{key: "t", value: "2"}]}) { run { name } } }"""
    assert (await execute_mutation(tracking, recording, text)).errors is None
    ((method, run_id, batch),) = recording.requests
    assert (method, run_id) == ("log_batch", RUN_ID)
    assert isinstance(batch, Batch)
    assert batch.metrics[0] == ("a", 1.0, 1000, 2**63 - 1)
    assert batch.metrics[1][:2] == ("b", float("-inf"))
    assert batch.metrics[1].timestamp == batch.metrics[2].timestamp
    assert (batch.params, batch.tags) == ([("p", "1")], [("t", "2")])


async def test_changes_of_a_document_are_limited(tracking: MemoryTracking) -> None:
    """The changes of all fields of a document are counted before each store call."""
    recording = RecordingWrites()
    text = """mutation ($tags: [TagInput!]!) {
      a: setRunTags(input: {runId: "r1", tags: $tags}) { run { name } }
      b: setRunTags(input: {runId: "r1", tags: $tags}) { run { name } }
    }"""
    tags = [{"key": str(number), "value": ""} for number in range(3)]
    result = await execute_mutation(tracking, recording, text, max_batch=5, tags=tags)
    assert [error.path for error in result.errors or ()] == [["b"]]
    assert "at most 5 objects (GQL_MAX_BATCH)" in str(result.errors)
    assert len(recording.requests) == 1


async def test_omitted_values_of_a_run_are_left_to_the_store(tracking: MemoryTracking) -> None:
    """Omitted and null values of a run to start are left to the store."""
    recording = RecordingWrites()
    text = 'mutation { startRun(input: {experimentId: "1", name: null}) { run { name } } }'
    assert (await execute_mutation(tracking, recording, text)).data == {"startRun": {"run": {"name": "one"}}}
    assert recording.requests == [("start_run", NewRun("1", tags=[]))]
