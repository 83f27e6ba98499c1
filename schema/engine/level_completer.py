"""Completion of the levels of a plan: each field is resolved once for all rows of a table.

A level without anything to wait for is completed without the event loop. If one field has to be awaited, it
is awaited in the same task. Several are awaited in a task each, because a store may take their calls at the
same time.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, cast

from graphql import GraphQLObjectType, GraphQLSchema

from schema.engine.batched_field import FieldContext
from schema.engine.chunked_json import CHUNK_ROWS, SHORT_LIST, rows_of_chunk
from schema.engine.completion import Completed
from schema.engine.operation import Operation
from schema.engine.plan import PlannedField, PlannedLevel
from schema.engine.row_builder import build_objects
from schema.ports.table import Table

_MAX_STACK = 16
"""The levels that are completed on one stack of calls; a task has a new stack. Python limits its height."""

_LONG = 500
"""Rows whose objects take some tenths of a millisecond to build."""


class LevelCompleter:
    """Completes levels for one operation. What its methods raise, graphql-core has to report, or to complete.

    The results of resolvers are stored in the operation, so that graphql-core does not call them again.
    """

    __slots__ = ("_schema", "_variables", "operation")

    def __init__(self, operation: Operation, schema: GraphQLSchema, variables: dict[str, Any]) -> None:
        self.operation = operation
        self._schema = schema
        self._variables = variables

    def type_of(self, table: Table) -> GraphQLObjectType:
        """Return the type of the rows of a field whose type is an interface."""
        return cast("GraphQLObjectType", self._schema.type_map[table.type_name or ""])

    def complete(self, level: PlannedLevel, table: Table) -> Completed:
        """Return a list with the object of each row, or an awaitable of it."""
        if not table.size:
            return []
        operation = self.operation
        if operation.trace_level is not None:
            compute: Any = self._complete_traced
        elif table.size >= _LONG:
            compute = self._complete_in_turn
        elif level.depth % _MAX_STACK == _MAX_STACK - 1:
            compute = self._complete_on_new_stack
        else:
            compute = self._complete
        completed: Completed = operation.run_once(table, level.key, compute, level, table)
        return completed

    def complete_root(self, level: PlannedLevel, table: Table) -> Completed:
        """Complete the level of the root fields, which is not stored: nothing else completes it."""
        if self.operation.trace_level is not None:
            return self._complete_traced(level, table)
        return self._complete(level, table)

    def _complete(self, level: PlannedLevel, table: Table) -> Completed:
        columns: list[Any] = []
        waiting: list[int] = []
        try:
            for field in level.fields:
                column = self._column(field, table)
                if hasattr(column, "__await__"):
                    waiting.append(len(columns))
                columns.append(column)
        except Exception:
            # graphql-core executes this level next, and waits for what has begun.
            for index in waiting:
                self.operation.start(columns[index])
            raise
        if waiting:
            return self._wait(level, table, columns, waiting)
        return self._build(level, columns, table.size)

    def _column(self, field: PlannedField, table: Table) -> Completed:
        if field.resolve is not None:
            column = self.operation.run_once(table, field.key, self._resolve, field, table)
            if hasattr(column, "__await__"):
                return self._complete_later(field, column)
            return field.completion.complete(self, column)
        if field.column is not None:
            return field.completion.complete(self, table.columns[field.column])
        return [field.selected.parent_type.name] * table.size

    def _resolve(self, field: PlannedField, table: Table) -> Any:
        context = FieldContext(self.operation, field.selected, self._variables)
        return field.resolve(table, context, **field.arguments.values(self._variables))  # type: ignore[misc]

    async def _complete_later(self, field: PlannedField, column: Awaitable[Any]) -> Sequence[Any]:
        completed: Any = field.completion.complete(self, await column)
        result: Sequence[Any] = await completed if hasattr(completed, "__await__") else completed
        return result

    async def _wait(
        self, level: PlannedLevel, table: Table, columns: list[Any], waiting: list[int]
    ) -> Sequence[Any]:
        if len(waiting) == 1:
            columns[waiting[0]] = await columns[waiting[0]]
        else:
            results = await self.operation.gather([columns[index] for index in waiting])
            for index, column in zip(waiting, results, strict=True):
                columns[index] = column
        built: Any = self._build(level, columns, table.size)
        objects: Sequence[Any] = await built if hasattr(built, "__await__") else built
        return objects

    def _build(self, level: PlannedLevel, columns: list[Any], size: int) -> Completed:
        self.operation.answer.add_objects(size, columns)
        answer = self.operation.answer
        if size > CHUNK_ROWS or (size > SHORT_LIST and answer.is_large and answer.encoder is not None):
            return self._build_in_turns(level, columns, size)
        return build_objects(level.names, columns, size)

    async def _complete_in_turn(self, level: PlannedLevel, table: Table) -> Sequence[Any]:
        if table.size > CHUNK_ROWS:
            return await self._complete_by_columns(level, table)
        await self.operation.answer.take_turn()
        return await self._complete_awaited(level, table)

    async def _build_in_turns(self, level: PlannedLevel, columns: list[Any], size: int) -> Sequence[Any]:
        """Return the objects of a large level, encoded if the answer has an encoder."""
        answer, objects = self.operation.answer, []
        rows = rows_of_chunk(len(columns))
        for start in range(0, size, rows):
            await answer.take_turn()
            part = [column[start : start + rows] for column in columns]
            built: list[Any] = build_objects(level.names, part, min(rows, size - start))
            if answer.encoder is not None:
                encode = answer.encoder.encode_part
                built = [encode(each)[0] for each in built]
            objects += built
        return objects

    async def _complete_traced(self, level: PlannedLevel, table: Table) -> Sequence[Any]:
        with self.operation.trace_level(level.type_name, table.size):  # type: ignore[misc]
            return await self._complete_awaited(level, table)

    def _complete_on_new_stack(self, level: PlannedLevel, table: Table) -> Awaitable[Sequence[Any]]:
        return self.operation.start(self._complete_awaited(level, table))

    async def _complete_by_columns(self, level: PlannedLevel, table: Table) -> Sequence[Any]:
        """Complete the columns of a very large level in a turn each."""
        columns: list[Any] = []
        for field in level.fields:
            await self.operation.answer.take_turn()
            column: Any = self._column(field, table)
            columns.append(self.operation.start(column) if hasattr(column, "__await__") else column)
        columns = [await column if isinstance(column, asyncio.Future) else column for column in columns]
        built: Any = self._build(level, columns, table.size)
        objects: Sequence[Any] = await built if hasattr(built, "__await__") else built
        return objects

    async def _complete_awaited(self, level: PlannedLevel, table: Table) -> Sequence[Any]:
        completed: Any = self._complete(level, table)
        result: Sequence[Any] = await completed if hasattr(completed, "__await__") else completed
        return result
