"""Execution a level at a time: each field of a list of our own rows is resolved once, for all rows.

graphql-core completes a list object by object and field by field, at about 10 us a field. Where a list is
`Rows` of a table, this context completes the whole table by columns instead: arguments are coerced once,
resolvers answer for all rows (`schema.engine.batched_field`), leaves are taken from the columns, and a
function compiled
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
    located_error,
)
from graphql.pyutils import AwaitableOrValue, Path, Undefined
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.engine.batched_field import question
from schema.engine.leaf_columns import NotBatchable
from schema.engine.level import Level
from schema.engine.operation import Operation
from schema.ports.table import Row, Rows, index_of, table_of, value_at


class LevelExecution(StrawberryGraphQLCoreExecutionContext):
    """An execution context that completes `Rows` level by level."""

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_nodes: list[FieldNode], path: Path
    ) -> AwaitableOrValue[Any]:
        """Execute a field; what fails at once fails when it is awaited instead.

        graphql-core would drop the coroutines of the fields beside it, and Python would warn of each.
        """
        known = self._known(parent_type, source, field_nodes)
        if known is not None:
            return self._told(parent_type, source, field_nodes, path, known)
        try:
            return super().execute_field(parent_type, source, field_nodes, path)
        except GraphQLError as error:
            return _failing(error)

    def _known(self, parent_type: GraphQLObjectType, source: Any, nodes: list[FieldNode]) -> Any:
        """Return what a field of a row answered for all rows of its table; None where it has not yet."""
        if not isinstance(source, Row) or self._hooked:
            return None
        operation = cast("Operation", self.context_value)
        return operation.stored_result(table_of(source), question(parent_type, nodes))

    async def _told(
        self, parent_type: GraphQLObjectType, source: Row, nodes: list[FieldNode], path: Path, known: Any
    ) -> Any:
        """Complete a field of a row from the answer for all rows; its arguments are not read for each."""
        field = parent_type.fields[nodes[0].name.value]
        info = self.build_resolve_info(field, nodes, parent_type, path)
        try:
            value = known if isinstance(known, Exception) else value_at(known, index_of(source))
            completed = self.complete_value(field.type, nodes, info, path, value)
            return await completed if isawaitable(completed) else completed
        except Exception as error:  # noqa: BLE001 - as graphql-core has it: each is an error of this field
            self.handle_field_error(located_error(error, nodes, path.as_list()), field.type, path)
            return None

    async def execute_fields_serially(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        fields: dict[str, list[FieldNode]],
    ) -> dict[str, Any]:
        """Execute the fields of a mutation one after another; what fails ends it, and none follows.

        graphql-core calls the resolvers of all before it awaits the first, and nests an await for each.
        """
        results: dict[str, Any] = {}
        for name, nodes in fields.items():
            result = self.execute_field(parent_type, source_value, nodes, Path(path, name, parent_type.name))
            if result is not Undefined:
                results[name] = await result if isawaitable(result) else result
        return results

    @property
    def _hooked(self) -> bool:
        """Whether there is a hook around each field's resolver, which is promised every row."""
        return self.middleware_manager is not None and bool(self.middleware_manager.middlewares)

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
        if isinstance(result, Rows) and is_object_type(item_type) and not self._hooked:
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
        except NotBatchable:
            # As a plain list, the rows are completed one by one.
            ordinary = super().complete_list_value(return_type, field_nodes, info, path, list(rows))
            return await ordinary if isawaitable(ordinary) else ordinary
        start, stop = rows.span
        return list(done[start:stop])


async def _failing(error: GraphQLError) -> None:
    raise error
