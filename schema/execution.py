"""Execution a level at a time: each field of a list of our own rows is resolved once, for all rows.

graphql-core completes a list object by object and field by field, at about 10 us a field. Where a list is
`Rows` of a table, this context completes the whole table by columns instead: arguments are coerced once,
resolvers answer for all rows (`schema.across`), leaves are taken from the columns, and a function compiled
for the selection zips them into objects. graphql-core stays the reference: whatever is not covered here, a
null in a non-null place and any error among it, goes the ordinary way over the same tables, with what the
store already answered.
"""

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
)
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.leaf import NotCovered
from schema.level import Level
from schema.table import Row, Rows, table_of


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
        level = Level(
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
