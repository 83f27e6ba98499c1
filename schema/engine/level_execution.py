"""Execution a level at a time: each field of a list of rows is resolved once for all rows of its table.

graphql-core completes a list object by object and field by field, at about 10 us a field. If a list is `Rows`
of a table, this execution context completes the whole table by columns (`schema.engine.level_completer`): it
coerces arguments once, calls each resolver once for all rows, takes leaves from the columns, and builds the
objects with a function that is compiled for the selection.

graphql-core remains the reference. Whatever the level does not support, including errors and nulls in
non-null positions, raises `NotBatchable`. graphql-core then completes the same tables row by row, with the
results that the store already returned.
"""

from collections.abc import Sequence
from inspect import isawaitable
from typing import Any, cast

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLResolveInfo,
    get_nullable_type,
    is_object_type,
    located_error,
)
from graphql.pyutils import AwaitableOrValue, Path, Undefined
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.engine.level_completer import LevelCompleter
from schema.engine.operation import Operation
from schema.engine.plan import Planner
from schema.engine.selection import Selections, field_key
from schema.ports.table import Row, Rows, Table, index_of, table_of, value_at

_ROWS_PER_TURN = 64
"""Rows of which each has some ten fields, at 10 us a field."""


class LevelExecution(StrawberryGraphQLCoreExecutionContext):
    """An execution context that completes `Rows` level by level."""

    _planner: Planner | None = None

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_nodes: list[FieldNode], path: Path
    ) -> AwaitableOrValue[Any]:
        """Execute a field. Raise an immediate error only when the result is awaited.

        Otherwise graphql-core drops the coroutines of the sibling fields, and Python warns about each.
        """
        result = self._stored_result(parent_type, source, field_nodes)
        if result is not None:
            return self._complete_stored(parent_type, source, field_nodes, path, result)
        try:
            return super().execute_field(parent_type, source, field_nodes, path)
        except GraphQLError as error:
            return _raise(error)

    def _stored_result(self, parent_type: GraphQLObjectType, source: Any, nodes: list[FieldNode]) -> Any:
        """Return the column or exception of a field for all rows of a table; None if not computed yet."""
        if not isinstance(source, Row) or self._has_field_hooks:
            return None
        operation = cast("Operation", self.context_value)
        return operation.stored_result(table_of(source), field_key(parent_type, nodes))

    async def _complete_stored(
        self, parent_type: GraphQLObjectType, source: Row, nodes: list[FieldNode], path: Path, result: Any
    ) -> Any:
        """Complete a field of a row from the result for all rows, without coercing its arguments again."""
        field = parent_type.fields[nodes[0].name.value]
        info = self.build_resolve_info(field, nodes, parent_type, path)
        try:
            value = result if isinstance(result, Exception) else value_at(result, index_of(source))
            completed = self.complete_value(field.type, nodes, info, path, value)
            return await completed if isawaitable(completed) else completed
        except Exception as error:  # noqa: BLE001 - as in graphql-core, any exception is a field error
            self.handle_field_error(located_error(error, nodes, path.as_list()), field.type, path)
            return None

    async def execute_fields_serially(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        fields: dict[str, list[FieldNode]],
    ) -> dict[str, Any]:
        """Execute the fields of a mutation one after another. The first error ends the mutation.

        graphql-core calls the resolvers of all fields before it awaits the first, and nests their awaits.
        """
        results: dict[str, Any] = {}
        for name, nodes in fields.items():
            result = self.execute_field(parent_type, source_value, nodes, Path(path, name, parent_type.name))
            if result is not Undefined:
                results[name] = await result if isawaitable(result) else result
        return results

    @property
    def _has_field_hooks(self) -> bool:
        """Whether an extension hooks into each field's resolver: it must be called for every row."""
        return self.middleware_manager is not None and bool(self.middleware_manager.middlewares)

    def complete_list_value(
        self,
        return_type: GraphQLList[Any],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> AwaitableOrValue[list[Any]]:
        """Complete `Rows` by columns, and any other list item by item."""
        item_type = get_nullable_type(return_type.of_type)
        if isinstance(result, Rows) and is_object_type(item_type) and not self._has_field_hooks:
            return self._complete_rows(return_type, field_nodes, info, path, result)
        return super().complete_list_value(return_type, field_nodes, info, path, result)

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Complete a row without `is_type_of`, because all rows of a table have one type."""
        if isinstance(result, Row):
            fields = self.collect_subfields(return_type, field_nodes)
            return self.execute_fields(return_type, result, path, fields)
        return super().complete_object_value(return_type, field_nodes, info, path, result)

    def complete_abstract_value(
        self,
        return_type: Any,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> AwaitableOrValue[Any]:
        """Complete a row of a field of interface type as the type that its table names."""
        if isinstance(result, Row):
            type_ = cast("GraphQLObjectType", self.schema.type_map[table_of(result).type_name or ""])
            return self.complete_object_value(type_, field_nodes, info, path, result)
        return super().complete_abstract_value(return_type, field_nodes, info, path, result)

    async def _complete_rows(
        self,
        return_type: GraphQLList[Any],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        rows: Rows,
    ) -> list[Any]:
        item_type = cast("GraphQLObjectType", get_nullable_type(return_type.of_type))
        try:
            objects = await self._complete_level(item_type, field_nodes, rows.table)
        except Exception:  # noqa: BLE001 - graphql-core meets the same failure and reports it
            return await self._complete_one_by_one(return_type.of_type, field_nodes, info, path, rows)
        start, stop = rows.span
        return list(objects[start:stop])

    async def _complete_one_by_one(
        self, item_type: Any, nodes: list[FieldNode], info: GraphQLResolveInfo, path: Path, rows: Rows
    ) -> list[Any]:
        """Complete each row as graphql-core completes the items of a list, with turns on the event loop."""
        answer = cast("Operation", self.context_value).answer
        completed = []
        for index, row in enumerate(rows):
            if index % _ROWS_PER_TURN == 0:
                await answer.take_turn()
            row_path = path.add_key(index, None)
            try:
                value = self.complete_value(item_type, nodes, info, row_path, row)
                completed.append(await value if isawaitable(value) else value)
            except Exception as error:  # noqa: BLE001 - as in graphql-core, any exception is a field error
                self.handle_field_error(located_error(error, nodes, row_path.as_list()), item_type, row_path)
                completed.append(None)
        return completed

    async def _complete_level(
        self, type_: GraphQLObjectType, nodes: list[FieldNode], table: Table
    ) -> Sequence[Any]:
        if self._planner is None:
            self._planner = Planner(Selections(self.schema, self.fragments, self.variable_values))
        operation = cast("Operation", self.context_value)
        completer = LevelCompleter(operation, self.schema, self.variable_values)
        completed: Any = completer.complete(self._planner.level(type_, nodes), table)
        objects: Sequence[Any] = await completed if isawaitable(completed) else completed
        return objects


async def _raise(error: GraphQLError) -> None:
    raise error
