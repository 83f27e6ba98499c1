"""Comparison of the level-wise execution with graphql-core."""

import pytest

from schema.engine import chunked_json
from tests.support.schema.document_strategies import Query
from tests.support.schema.execution import (
    ChunkEncoder,
    EveryErrorExecution,
    ItemByItemExecution,
    QueryResult,
    ReportedErrors,
    execute_planned,
    execute_query,
)
from tests.support.schema.memory_tracking import MemoryTracking


async def execute_and_compare(query: str | Query, store: MemoryTracking) -> QueryResult:
    """Execute a query by its plan and level by level, and assert that data and errors are graphql-core's.

    Return the result of the execution level by level.
    """
    planned = await execute_planned(store, query)
    level = await execute_query(store, query)
    reference = await execute_query(store, query, execution=ItemByItemExecution)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunked_json, "CHUNK_ROWS", 2)
        encoded = await execute_query(store, query, encoder=ChunkEncoder())
        encoded_plan = await execute_planned(store, query, encoder=ChunkEncoder())
    results = (planned, level, encoded, encoded_plan)
    assert {result.data_and_order for result in results} == {reference.data_and_order}
    if any(result.errors for result in (*results, reference)):
        every = await execute_query(store, query, execution=EveryErrorExecution)
        possible = every.reported_errors(reference.data)
        for result in results:
            _assert_same_errors(result, reference, possible)
    # The plan completes what the levels complete without graphql-core.
    assert planned.fallbacks == [] or level.errors or level.fallbacks
    return level


def _assert_same_errors(one: QueryResult, reference: QueryResult, possible: ReportedErrors) -> None:
    actual, expected = one.reported_errors(reference.data), reference.reported_errors(reference.data)
    assert len(one.errors) == sum(map(len, actual.values()))
    assert actual.keys() == expected.keys() == possible.keys()
    for path, errors in possible.items():
        # If several errors null the same parent, graphql-core reports any of them.
        assert actual[path] == expected[path] or (len(errors) > 1 and actual[path] <= errors)
