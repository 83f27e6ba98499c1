"""Completion of one selection on one object type for all rows of a table."""

import asyncio
from collections.abc import Sequence
from inspect import isawaitable
from typing import Any, cast

from graphql import (
    ExecutionContext,
    FieldNode,
    GraphQLObjectType,
    GraphQLOutputType,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path

from schema.engine.chunked_json import CHUNK_ROWS, LeafColumn, encode_lists, is_contiguous
from schema.engine.leaf_columns import NotBatchable, complete_leaves
from schema.engine.operation import Operation
from schema.engine.required_columns import REQUIRES
from schema.engine.row_builder import build_objects
from schema.ports.table import Column, Lists, Many, One, Rows, Table

_DEFINITION = "strawberry-definition"
_TYPENAME = "__typename"


class Level:
    """One selection on one object type. Its methods raise `NotBatchable` for what graphql-core must do."""

    def __init__(
        self, execution: ExecutionContext, type_: GraphQLObjectType, nodes: list[FieldNode], path: Path
    ) -> None:
        self._execution = execution
        self._type = type_
        self._nodes = nodes
        # The path is the same for all rows. That is safe, because this class reports no errors.
        self._path = path

    @property
    def _operation(self) -> Operation:
        return cast("Operation", self._execution.context_value)

    async def complete(self, table: Table) -> Sequence[Any]:
        """Return one object per row. A table and selection are completed once per operation."""
        key = ("completed", self._type.name, *map(id, self._nodes))
        objects = await self._operation.compute_once(table, key, lambda: self._complete_traced(table))
        return cast("Sequence[Any]", objects)

    async def complete_lists(self, many: Many) -> Sequence[Any]:
        """Return the list of each parent: its objects, or a placeholder if they are encoded already."""
        encoder = self._operation.encoder
        if encoder is not None and many.rows.size >= CHUNK_ROWS and is_contiguous(many):
            leaves = self._leaf_columns()
            if leaves is not None:
                return await encode_lists(encoder, leaves, many)
        objects = await self.complete(many.rows)
        return [objects[start:stop] for start, stop in many.spans]

    async def complete_nullable_lists(self, column: Sequence[Any], *, required: bool) -> Sequence[Any]:
        """Return the list of each parent from a column of `Rows` of one table and None."""
        lists = [rows for rows in column if rows is not None]
        table = lists[0].table if lists and isinstance(lists[0], Rows) else Table(0, {})
        if not all(isinstance(rows, Rows) and rows.table is table for rows in lists):
            raise NotBatchable
        if required and len(lists) < len(column):
            raise NotBatchable
        objects = await self.complete(table)
        return [None if rows is None else objects[slice(*rows.span)] for rows in column]

    def _leaf_columns(self) -> list[LeafColumn] | None:
        """Return the selected columns if all of them are leaves without a resolver, else None."""
        leaves = []
        for name, nodes in self._execution.collect_subfields(self._type, self._nodes).items():
            field = self._type.fields.get(nodes[0].name.value)
            type_: Any = get_nullable_type(field.type) if field else None
            if field is None or not is_leaf_type(type_):
                return None
            definition = field.extensions[_DEFINITION]
            if definition.base_resolver is not None:
                return None
            leaves.append(
                LeafColumn(name, definition.python_name, type_, required=is_non_null_type(field.type))
            )
        return leaves

    async def _complete_traced(self, table: Table) -> Sequence[Any]:
        with self._operation.trace_level(self._type.name, table.size):
            return await self._complete(table)

    async def _complete(self, table: Table) -> Sequence[Any]:
        if not table.size:
            return []
        fields = self._execution.collect_subfields(self._type, self._nodes)
        columns = await asyncio.gather(
            *(self._complete_field(name, nodes, table) for name, nodes in fields.items()),
            return_exceptions=True,
        )
        failure = next((column for column in columns if isinstance(column, BaseException)), None)
        if failure is not None:
            # Row-by-row execution meets the same failure again and reports its path.
            raise failure if isinstance(failure, asyncio.CancelledError) else NotBatchable from failure
        return build_objects(tuple(fields), cast("list[Sequence[Any]]", columns), table.size)

    async def _complete_field(self, name: str, nodes: list[FieldNode], table: Table) -> Sequence[Any]:
        if nodes[0].name.value == _TYPENAME:
            return [self._type.name] * table.size
        field = self._type.fields[nodes[0].name.value]
        definition = field.extensions[_DEFINITION]
        path = Path(self._path, name, self._type.name)
        if definition.base_resolver is None:
            column: Any = table[definition.python_name]
        elif REQUIRES in definition.metadata:
            execution = self._execution
            info = execution.build_resolve_info(field, nodes, self._type, path)
            arguments = get_argument_values(field, nodes[0], execution.variable_values)
            column = field.resolve(table, info, **arguments)
            if isawaitable(column):
                column = await column
        else:
            raise NotBatchable
        return await self._complete_column(field.type, nodes, path, column)

    async def _complete_column(
        self, type_: GraphQLOutputType, nodes: list[FieldNode], path: Path, column: Column
    ) -> Sequence[Any]:
        required = is_non_null_type(type_)
        nullable: Any = get_nullable_type(cast("Any", type_))
        if is_leaf_type(nullable):
            return complete_leaves(nullable, cast("Sequence[Any]", column), required=required)
        if is_list_type(nullable):
            return await self._complete_list_column(nullable.of_type, nodes, path, column, required=required)
        if is_object_type(nullable) and isinstance(column, One):
            objects = await Level(self._execution, nullable, nodes, path).complete(column.rows)
            if required and None in column.index:
                raise NotBatchable
            return [None if index is None else objects[index] for index in column.index]
        raise NotBatchable

    async def _complete_list_column(
        self,
        item_type: GraphQLOutputType,
        nodes: list[FieldNode],
        path: Path,
        column: Column,
        *,
        required: bool,
    ) -> Sequence[Any]:
        nullable: Any = get_nullable_type(cast("Any", item_type))
        if is_object_type(nullable):
            level = Level(self._execution, nullable, nodes, path)
            if isinstance(column, Many):
                return await level.complete_lists(column)
            if isinstance(column, Sequence):
                return await level.complete_nullable_lists(column, required=required)
        if not is_leaf_type(nullable) or isinstance(column, Many | One):
            raise NotBatchable
        items_required = is_non_null_type(item_type)
        if isinstance(column, Lists):
            items = complete_leaves(nullable, column.items, required=items_required)
            return [items[start:stop] for start, stop in column.spans]
        if required and None in column:
            raise NotBatchable
        return [
            None if items is None else complete_leaves(nullable, items, required=items_required)
            for items in column
        ]
