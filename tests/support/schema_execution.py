"""Answering operations over a store in memory: level by level and, for comparison, item by item."""

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
    execute,
    get_nullable_type,
    is_object_type,
    parse,
    validate,
)
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.build import ROOT
from schema.engine.chunked_json import ListEncoder
from schema.engine.level_execution import LevelExecution
from schema.engine.operation import Operation, ServerInfo
from schema.ports.query_limits import QueryLimits
from tests.support.document_strategies import SCHEMA, Query
from tests.support.memory_tracking import MemoryTracking

Complaints: TypeAlias = dict[tuple[str | int, ...], set[str]]
"""What is told of errors, by the place that is null for them."""

SERVER_INFO = ServerInfo(version="1.2.3", mlflow_version="3.4.5", read_only=True)
LIMITS = QueryLimits(
    max_page_size=100,
    max_conditions=500,
    max_compared_runs=100,
    max_rows=10_000,
    max_scanned_runs=100_000,
    max_batch=20_000,
)


class ItemByItem(LevelExecution):
    """The reference: every list goes graphql-core's own way."""

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


class EveryError(ItemByItem):
    """The reference without the rule that an error in a non-null place stands for all beside and below it.

    Where errors compete for a place, it is a matter of time which of them graphql-core reports.
    """

    def handle_field_error(self, error: GraphQLError, _return_type: GraphQLOutputType, _path: Path) -> None:
        """Collect an error wherever it is."""
        # By a path of its own each: no position counts as nulled.
        self.collected_errors.add(error, Path(None, len(self.collected_errors.errors), None))


class _Noting(StrawberryGraphQLCoreExecutionContext):
    """What stands behind the level-wise execution: it notes which lists of objects were left to it."""

    def complete_list_value(
        self,
        return_type: GraphQLList[Any],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> Any:
        """Note a list of objects, then complete it."""
        if is_object_type(get_nullable_type(return_type.of_type)):
            left.append(path.as_list())
        return super().complete_list_value(return_type, field_nodes, info, path, result)


class LevelByLevel(LevelExecution, _Noting):
    """The execution under test; what it leaves to graphql-core goes to `_Noting`."""


class InParts:
    """An encoder whose parts are read back at once, so that an answer shows what was encoded."""

    def __init__(self) -> None:
        """Begin with nothing encoded."""
        self.parts: list[int] = []

    def encode(self, items: list[dict[str, Any]]) -> bytes:
        """Encode a part, and note how long it is."""
        self.parts.append(len(items))
        return json.dumps(items).encode()

    def placeholder(self, parts: Sequence[bytes]) -> Any:
        """Return the list that the parts make up."""
        return [item for part in parts for item in json.loads(part)]


left: list[list[str | int]] = []
"""The paths of the lists of objects that the last answer completed the ordinary way."""


@dataclass
class Answer:
    """What an operation answered."""

    data: dict[str, Any] | None
    errors: list[GraphQLError]
    ordinary: list[list[str | int]]
    """The paths of the lists of objects that were completed item by item though level by level was asked."""

    @property
    def data_and_order(self) -> str:
        """Return the data with the order of its keys and the types of its values, which `==` overlooks."""
        return repr(self.data)

    @property
    def messages(self) -> list[str]:
        """Return the messages of the errors."""
        return [error.message for error in self.errors]

    def complaints(self, data: Any) -> Complaints:
        """Return all that is told of the errors, by the place that is null in `data` for them."""
        found: Complaints = defaultdict(set)
        for error in self.errors:
            told = (error.message, error.path, error.locations, error.extensions, error.original_error)
            found[_null_place(data, error.path or [])].add(repr(told))
        return found


def _null_place(data: Any, path: list[str | int]) -> tuple[str | int, ...]:
    place: list[str | int] = []
    for step in path:
        if data is None:
            break
        data = data[step]
        place.append(step)
    assert data is None
    return tuple(place)


@lru_cache(maxsize=16)
def parsed(text: str) -> DocumentNode:
    """Parse a document that must be valid; the same text is run several ways."""
    document = parse(text)
    assert validate(SCHEMA, document) == []
    return document


async def answer(
    store: MemoryTracking,
    query: str | Query,
    variables: dict[str, Any] | None = None,
    by: type[LevelExecution] = LevelByLevel,
    encoder: ListEncoder | None = None,
) -> Answer:
    """Run a valid query over a store."""
    asked = Query(query, variables or {}) if isinstance(query, str) else query
    left.clear()
    operation = Operation(store, SERVER_INFO, LIMITS, encoder=encoder)
    result: Any = execute(
        SCHEMA,
        parsed(asked.text),
        root_value=ROOT,
        context_value=operation,
        variable_values=asked.variables,
        execution_context_class=by,
    )
    try:
        result = await result if isawaitable(result) else result
    finally:
        operation.close()
    return Answer(result.data, result.errors or [], list(left))
