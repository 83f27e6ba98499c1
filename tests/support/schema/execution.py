"""Execution of queries over the store in memory: level by level, and item by item for comparison."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from inspect import isawaitable
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLList,
    GraphQLOutputType,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    execute,
    get_nullable_type,
    is_object_type,
    parse,
    validate,
)
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.build import ROOT
from schema.engine.answer import Answer, ListEncoder
from schema.engine.execution import execute_operation
from schema.engine.level_execution import LevelExecution
from schema.engine.operation import Operation, ServerInfo
from schema.engine.operation_plan import OperationPlans
from schema.ports.query_limits import QueryLimits
from schema.ports.table import Span
from tests.support.schema.document_strategies import SCHEMA, Query
from tests.support.schema.memory_tracking import MemoryTracking

ReportedErrors: TypeAlias = dict[tuple[str | int, ...], set[str]]
"""The reported errors by the path of the null that they caused."""

SERVER_INFO = ServerInfo(version="1.2.3", mlflow_version="3.4.5", read_only=True)
LIMITS = QueryLimits(
    max_page_size=100,
    max_conditions=500,
    max_sort_keys=16,
    max_compared_runs=100,
    max_rows=10_000,
    max_scanned_runs=100_000,
    max_batch=20_000,
)


class ItemByItemExecution(LevelExecution):
    """The reference: graphql-core completes every list item by item."""

    def complete_list_value(
        self,
        return_type: GraphQLList[Any],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> Any:
        """Complete any list item by item."""
        return StrawberryGraphQLCoreExecutionContext.complete_list_value(
            self, return_type, field_nodes, info, path, result
        )


class EveryErrorExecution(ItemByItemExecution):
    """The reference without null propagation: it reports every error.

    If several errors propagate to the same null, the timing determines which of them graphql-core reports.
    """

    def handle_field_error(self, error: GraphQLError, _return_type: GraphQLOutputType, _path: Path) -> None:
        """Collect the error, with any path."""
        # A distinct path for each error prevents graphql-core from dropping errors below a null.
        self.collected_errors.add(error, Path(None, len(self.collected_errors.errors), None))


class _RecordingExecution(StrawberryGraphQLCoreExecutionContext):
    """The base of the level-wise execution. It records the lists of objects that fall back to it."""

    def complete_list_value(
        self,
        return_type: GraphQLList[Any],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> Any:
        """Record a list of objects, then complete it."""
        if is_object_type(get_nullable_type(return_type.of_type)):
            fallbacks.append(path.as_list())
        return super().complete_list_value(return_type, field_nodes, info, path, result)


class LevelByLevelExecution(LevelExecution, _RecordingExecution):
    """The execution under test, which records its fallbacks to the ways of graphql-core."""

    async def _complete_one_by_one(self, *arguments: Any) -> Any:
        fallbacks.append(arguments[3].as_list())
        return await super()._complete_one_by_one(*arguments)


class ReplacingExecution(LevelByLevelExecution):
    """The execution of what a plan does not complete. It records that it was needed, as a fallback."""

    def execute_operation(self, *arguments: Any) -> Any:
        """Record the fallback of the whole query, then execute it."""
        fallbacks.append([])
        return super().execute_operation(*arguments)


class ChunkEncoder:
    """A list encoder whose placeholder is the decoded list, so that results can be compared."""

    def __init__(self) -> None:
        """Make an encoder that has encoded nothing."""
        self.parts: list[int] = []
        self._encoded = ""

    def encode(self, items: Sequence[Any]) -> Span:
        """Encode a list and record its length."""
        self.parts.append(len(items))
        start = len(self._encoded)
        self._encoded += json.dumps(items)
        return start, len(self._encoded)

    def encode_part(self, item: Any) -> tuple[Any, int]:
        """Return the decoded item."""
        encoded = json.dumps(item)
        return json.loads(encoded), len(encoded)

    def placeholder(self, parts: Sequence[Span], *, nested: bool = False) -> Any:  # noqa: ARG002 - the port
        """Return the items of all parts as one list."""
        return [item for start, stop in parts for item in json.loads(self._encoded[start:stop])]


fallbacks: list[list[str | int]] = []
"""The paths of the lists of objects that fell back to graphql-core in the last execution."""


@dataclass
class QueryResult:
    """The result of an operation."""

    data: dict[str, Any] | None
    errors: list[GraphQLError]
    fallbacks: list[list[str | int]]
    """The paths of the lists of objects that fell back from level-wise execution to graphql-core."""

    @property
    def data_and_order(self) -> str:
        """Return the data as text, with the order of keys and the types of values, which `==` ignores."""
        return repr(self.data)

    @property
    def messages(self) -> list[str]:
        """Return the messages of the errors."""
        return [error.message for error in self.errors]

    def reported_errors(self, data: Any) -> ReportedErrors:
        """Return all properties of the errors, by the path of the null in `data` that they caused."""
        errors: ReportedErrors = defaultdict(set)
        for error in self.errors:
            properties = (error.message, error.path, error.locations, error.extensions, error.original_error)
            errors[_null_path(data, error.path or [])].add(repr(properties))
        return errors


def _null_path(data: Any, path: list[str | int]) -> tuple[str | int, ...]:
    null_path: list[str | int] = []
    for step in path:
        if data is None:
            break
        data = data[step]
        null_path.append(step)
    assert data is None
    return tuple(null_path)


async def execute_planned(
    store: MemoryTracking, query: str | Query, encoder: ListEncoder | None = None
) -> QueryResult:
    """Execute a valid query by its plan; graphql-core records what it executes instead of the plan."""
    document = Query(query, {}) if isinstance(query, str) else query
    fallbacks.clear()
    operation = Operation(store, SERVER_INFO, LIMITS, answer=Answer(encoder))
    planned = plans_of(document.text).planned(document.variables)
    assert planned is not None
    try:
        result = await execute_operation(
            SCHEMA,
            parsed(document.text),
            planned,
            root=ROOT,
            operation=operation,
            variables=document.variables,
            execution=ReplacingExecution,
        )
    finally:
        operation.close()
    return QueryResult(result.data, result.errors or [], list(fallbacks))


@lru_cache(maxsize=16)
def plans_of(text: str) -> OperationPlans:
    """Return the plans of the only operation of a document."""
    document = parsed(text)
    (operation,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return OperationPlans(SCHEMA, document, operation)


@lru_cache(maxsize=16)
def parsed(text: str) -> DocumentNode:
    """Parse a document that must be valid. Cache it, because tests execute the same text repeatedly."""
    document = parse(text)
    assert validate(SCHEMA, document) == []
    return document


async def execute_query(
    store: MemoryTracking,
    query: str | Query,
    variables: dict[str, Any] | None = None,
    execution: type[LevelExecution] = LevelByLevelExecution,
    encoder: ListEncoder | None = None,
) -> QueryResult:
    """Execute a valid query over a store."""
    document = Query(query, variables or {}) if isinstance(query, str) else query
    fallbacks.clear()
    operation = Operation(store, SERVER_INFO, LIMITS, answer=Answer(encoder))
    result: Any = execute(
        SCHEMA,
        parsed(document.text),
        root_value=ROOT,
        context_value=operation,
        variable_values=document.variables,
        execution_context_class=execution,
    )
    try:
        result = await result if isawaitable(result) else result
    finally:
        operation.close()
    return QueryResult(result.data, result.errors or [], list(fallbacks))
