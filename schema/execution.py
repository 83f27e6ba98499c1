"""Execution a level at a time: each field of a list of our own rows is resolved once, for all rows.

graphql-core completes a list object by object and field by field, at about 10 us a field. Where a list is
`Rows` of a table, this context completes the whole table by columns instead: arguments are coerced once,
resolvers answer for all rows (`schema.across`), leaves are taken from the columns, and a function compiled
for the selection zips them into objects. graphql-core stays the reference: whatever is not covered here, a
null in a non-null place and any error among it, goes the ordinary way over the same tables, with what the
store already answered.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from inspect import isawaitable
from typing import Any, cast

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.values import get_argument_values
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.across import NEEDS
from schema.leaf import NotCovered, complete_leaves
from schema.operation import Operation
from schema.table import Column, Lists, Many, One, Row, Rows, Table, table_of

_DEFINITION = "strawberry-definition"
_TYPENAME = "__typename"
_MOST_COMPILED = 64
"""The longest selection that a function is compiled for, and so the number of such functions."""


class LevelExecution(StrawberryGraphQLCoreExecutionContext):
    """An execution context that completes `Rows` level by level."""

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_nodes: list[FieldNode], path: Path
    ) -> AwaitableOrValue[Any]:
        """Execute a field; what fails at once fails when it is awaited instead.

        graphql-core would drop the coroutines of the fields beside it, and Python would warn of each.
        """
        try:
            return super().execute_field(parent_type, source, field_nodes, path)
        except GraphQLError as error:
            return _failing(error)

    def complete_list_value(
        self,
        return_type: GraphQLList[Any],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> AwaitableOrValue[list[Any]]:
        """Complete our own rows by columns, any other list item by item."""
        item_type = get_nullable_type(return_type.of_type)
        # A hook around each field's resolver is promised every row.
        hooked = self.middleware_manager is not None and self.middleware_manager.middlewares
        if isinstance(result, Rows) and is_object_type(item_type) and not hooked:
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
        """Complete a row without asking whether it is of the type: a table's rows are of one type."""
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
        """Complete a row of a field of interface type by the type that its table names."""
        if isinstance(result, Row):
            named = self.schema.type_map[table_of(result).type_name or ""]
            return self.complete_object_value(
                cast("GraphQLObjectType", named), field_nodes, info, path, result
            )
        return super().complete_abstract_value(return_type, field_nodes, info, path, result)

    async def _complete_rows(
        self,
        return_type: GraphQLList[Any],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        rows: Rows,
    ) -> list[Any]:
        level = _Level(
            self, cast("GraphQLObjectType", get_nullable_type(return_type.of_type)), field_nodes, path
        )
        try:
            done = await level.complete(rows.table)
        except NotCovered:
            # As a plain list, the rows are completed one by one.
            ordinary = super().complete_list_value(return_type, field_nodes, info, path, list(rows))
            return await ordinary if isawaitable(ordinary) else ordinary
        start, stop = rows.span
        return list(done[start:stop])


async def _failing(error: GraphQLError) -> None:
    raise error


class _Level:
    """One selection on one object type, to be completed for all rows of a table."""

    def __init__(
        self, execution: LevelExecution, type_: GraphQLObjectType, nodes: list[FieldNode], path: Path
    ) -> None:
        self._execution = execution
        self._type = type_
        self._nodes = nodes
        # One path stands for all rows: no error is reported from here.
        self._path = path

    async def complete(self, table: Table) -> Sequence[Any]:
        """Return an object for each row; the same table and selection are completed once an operation."""
        operation = cast("Operation", self._execution.context_value)
        question = ("completed", self._type.name, *map(id, self._nodes))
        done = await operation.once(table, question, lambda: self._complete(table))
        return cast("Sequence[Any]", done)

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
            raise failed if isinstance(failed, asyncio.CancelledError) else NotCovered from failed
        return _objects(tuple(fields), cast("list[Sequence[Any]]", columns), table.size)

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
            raise NotCovered
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
            below = _Level(self._execution, inner, nodes, path)
            done = await below.complete(column.rows)
            if required and None in column.index:
                raise NotCovered
            return [None if place is None else done[place] for place in column.index]
        raise NotCovered

    async def _lists(
        self, item: GraphQLOutputType, nodes: list[FieldNode], path: Path, column: Column, *, required: bool
    ) -> Sequence[Any]:
        inner: Any = get_nullable_type(cast("Any", item))
        if isinstance(column, Many) and is_object_type(inner):
            below = _Level(self._execution, inner, nodes, path)
            done = await below.complete(column.rows)
            return [done[start:stop] for start, stop in column.spans]
        if not is_leaf_type(inner) or isinstance(column, Many | One):
            raise NotCovered
        leaf, items_required = inner, is_non_null_type(item)
        if isinstance(column, Lists):
            done = complete_leaves(leaf, column.items, required=items_required)
            return [done[start:stop] for start, stop in column.spans]
        if required and None in column:
            raise NotCovered
        return [
            None if items is None else complete_leaves(leaf, items, required=items_required)
            for items in column
        ]


def _objects(names: tuple[str, ...], columns: Sequence[Sequence[Any]], size: int) -> list[dict[str, Any]]:
    if any(len(column) != size for column in columns):
        # The store's answer is broken; row by row it is found out where.
        raise NotCovered
    if not names:
        return [{} for _ in range(size)]
    if len(names) > _MOST_COMPILED:
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return _zipper(len(names))(columns, *names)


@lru_cache(maxsize=_MOST_COMPILED)
def _zipper(count: int) -> Callable[..., list[dict[str, Any]]]:
    """Compile the function that makes objects of so many columns, given the columns and then their names.

    A dict display in a comprehension takes half the time of `dict(zip(names, row))`.
    """
    names, values = ([f"{letter}{number}" for number in range(count)] for letter in "nv")
    display = ", ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))
    source = f"lambda columns, {', '.join(names)}: [{{{display}}} for {', '.join(values)}, in zip(*columns)]"
    compiled: Callable[..., list[dict[str, Any]]] = eval(source)  # noqa: S307 - only numbers vary
    return compiled
