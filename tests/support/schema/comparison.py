"""Comparison of the level-wise execution with graphql-core."""

import pytest

from schema.engine import chunked_json
from schema.engine import level as level_module
from tests.support.schema.document_strategies import Query
from tests.support.schema.execution import (
    ChunkEncoder,
    EveryErrorExecution,
    ItemByItemExecution,
    QueryResult,
    ReportedErrors,
    execute_query,
)
from tests.support.schema.memory_tracking import MemoryTracking


async def execute_and_compare(query: str | Query, store: MemoryTracking) -> QueryResult:
    """Execute a query level by level, and assert that data and errors are those of graphql-core."""
    level = await execute_query(store, query)
    reference = await execute_query(store, query, execution=ItemByItemExecution)
    with pytest.MonkeyPatch.context() as patch:
        for module in (chunked_json, level_module):
            patch.setattr(module, "CHUNK_ROWS", 2)
        encoded = await execute_query(store, query, encoder=ChunkEncoder())
    assert level.data_and_order == encoded.data_and_order == reference.data_and_order
    if level.errors or encoded.errors or reference.errors:
        possible = (await execute_query(store, query, execution=EveryErrorExecution)).reported_errors(
            level.data
        )
        _assert_same_errors(level, reference, possible)
        _assert_same_errors(encoded, reference, possible)
    return level


def _assert_same_errors(one: QueryResult, reference: QueryResult, possible: ReportedErrors) -> None:
    actual, expected = one.reported_errors(reference.data), reference.reported_errors(reference.data)
    assert len(one.errors) == sum(map(len, actual.values()))
    assert actual.keys() == expected.keys() == possible.keys()
    for path, errors in possible.items():
        # If several errors null the same parent, graphql-core reports any of them.
        assert actual[path] == expected[path] or (len(errors) > 1 and actual[path] <= errors)
