"""One selection on one object type, completed for all rows of a table by columns."""

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

from schema.engine.batched_field import NEEDS
from schema.engine.chunked_json import LARGE, EncodedLeaf, encode_lists, in_sequence
from schema.engine.leaf_columns import NotBatchable, complete_leaves
from schema.engine.operation import Operation
from schema.engine.row_builder import objects
from schema.ports.table import Column, Lists, Many, One, Rows, Table

_DEFINITION = "strawberry-definition"
_TYPENAME = "__typename"


class Level:
    """One selection on one object type, to be completed for all rows of a table."""

    def __init__(
        self, execution: ExecutionContext, type_: GraphQLObjectType, nodes: list[FieldNode], path: Path
    ) -> None:
        self._execution = execution
        self._type = type_
        self._nodes = nodes
        # One path stands for all rows: no error is reported from here.
        self._path = path

    @property
    def _operation(self) -> Operation:
        return cast("Operation", self._execution.context_value)

    async def complete(self, table: Table) -> Sequence[Any]:
        """Return an object for each row; the same table and selection are completed once an operation."""
        key = ("completed", self._type.name, *map(id, self._nodes))
        done = await self._operation.compute_once(table, key, lambda: self._watched(table))
        return cast("Sequence[Any]", done)

    async def lists(self, many: Many) -> Sequence[Any]:
        """Return the list of each parent: objects, or where they are many leaves, their encoding."""
        encoder = self._operation.encoder
        if encoder is not None and many.rows.size >= LARGE and in_sequence(many):
            leaves = self._leaves()
            if leaves is not None:
                return await encode_lists(encoder, leaves, many)
        done = await self.complete(many.rows)
        return [done[start:stop] for start, stop in many.spans]

    async def some(self, column: Sequence[Any], *, required: bool) -> Sequence[Any]:
        """Return the list of each parent that has one: `Rows` of one table, or None."""
        there = [rows for rows in column if rows is not None]
        table = there[0].table if there and isinstance(there[0], Rows) else Table(0, {})
        if not all(isinstance(rows, Rows) and rows.table is table for rows in there):
            raise NotBatchable
        if required and len(there) < len(column):
            raise NotBatchable
        done = await self.complete(table)
        return [None if rows is None else done[slice(*rows.span)] for rows in column]

    def _leaves(self) -> list[EncodedLeaf] | None:
        """Return what is selected, if it is nothing but columns of leaves."""
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
                EncodedLeaf(name, definition.python_name, type_, required=is_non_null_type(field.type))
            )
        return leaves

    async def _watched(self, table: Table) -> Sequence[Any]:
        with self._operation.trace_level(self._type.name, table.size):
            return await self._complete(table)

    async def _complete(self, table: Table) -> Sequence[Any]:
        if not table.size:
            return []
        fields = self._execution.collect_subfields(self._type, self._nodes)
        columns = await asyncio.gather(
            *(self._field(name, nodes, table) for name, nodes in fields.items()), return_exceptions=True
        )
        failed = next((column for column in columns if isinstance(column, BaseException)), None)
        if failed is not None:
            # The ordinary way meets the same failure again, row by row, and says where.
            raise failed if isinstance(failed, asyncio.CancelledError) else NotBatchable from failed
        return objects(tuple(fields), cast("list[Sequence[Any]]", columns), table.size)

    async def _field(self, name: str, nodes: list[FieldNode], table: Table) -> Sequence[Any]:
        if nodes[0].name.value == _TYPENAME:
            return [self._type.name] * table.size
        field = self._type.fields[nodes[0].name.value]
        definition = field.extensions[_DEFINITION]
        path = Path(self._path, name, self._type.name)
        if definition.base_resolver is None:
            column: Any = table[definition.python_name]
        elif NEEDS in definition.metadata:
            execution = self._execution
            info = execution.build_resolve_info(field, nodes, self._type, path)
            arguments = get_argument_values(field, nodes[0], execution.variable_values)
            column = field.resolve(table, info, **arguments)
            if isawaitable(column):
                column = await column
        else:
            raise NotBatchable
        return await self._column(field.type, nodes, path, column)

    async def _column(
        self, type_: GraphQLOutputType, nodes: list[FieldNode], path: Path, column: Column
    ) -> Sequence[Any]:
        required = is_non_null_type(type_)
        inner: Any = get_nullable_type(cast("Any", type_))
        if is_leaf_type(inner):
            return complete_leaves(inner, cast("Sequence[Any]", column), required=required)
        if is_list_type(inner):
            return await self._lists(inner.of_type, nodes, path, column, required=required)
        if is_object_type(inner) and isinstance(column, One):
            below = Level(self._execution, inner, nodes, path)
            done = await below.complete(column.rows)
            if required and None in column.index:
                raise NotBatchable
            return [None if place is None else done[place] for place in column.index]
        raise NotBatchable

    async def _lists(
        self, item: GraphQLOutputType, nodes: list[FieldNode], path: Path, column: Column, *, required: bool
    ) -> Sequence[Any]:
        inner: Any = get_nullable_type(cast("Any", item))
        if isinstance(column, Many) and is_object_type(inner):
            return await Level(self._execution, inner, nodes, path).lists(column)
        if is_object_type(inner) and isinstance(column, Sequence):
            return await Level(self._execution, inner, nodes, path).some(column, required=required)
        if not is_leaf_type(inner) or isinstance(column, Many | One):
            raise NotBatchable
        leaf, items_required = inner, is_non_null_type(item)
        if isinstance(column, Lists):
            done = complete_leaves(leaf, column.items, required=items_required)
            return [done[start:stop] for start, stop in column.spans]
        if required and None in column:
            raise NotBatchable
        return [
            None if items is None else complete_leaves(leaf, items, required=items_required)
            for items in column
        ]
