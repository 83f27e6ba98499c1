"""Fields that are resolved once for all rows of a table.

`batched_field` turns a function over a whole table into a Strawberry field. graphql-core calls the field once
for each row: the first call computes the column, and every call returns its row's value of it. The level-wise
execution (`schema.engine.level_execution`) calls the field once, with the table as its source.
"""

import inspect
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import FieldNode, GraphQLObjectType, GraphQLResolveInfo, get_named_type
from graphql.execution.collect_fields import collect_sub_fields

from schema.engine.operation import Operation
from schema.ports.table import Column, Row, Table, index_of, table_of, value_at
from schema.ports.tracking import TrackingWithArtifacts

REQUIRES = "requires"
"""The key in a field's metadata for the columns of the table that its resolver reads."""

_DEFINITION = "strawberry-definition"


@dataclass(frozen=True, slots=True)
class FieldContext:
    """The context of one field of a document: the operation, and the selections below the field."""

    info: GraphQLResolveInfo

    @property
    def operation(self) -> Operation:
        """Return the operation that the field is part of."""
        operation: Operation = self.info.context
        return operation

    @property
    def tracking(self) -> TrackingWithArtifacts:
        """Return the store."""
        return self.operation.tracking

    def columns(self, *paths: Sequence[str], on: str | None = None) -> frozenset[str]:
        """Return the columns that the selections at the end of these paths of field names require.

        The paths start at the field's type. `on` is the object type to start at if that is an interface.
        """
        required: set[str] = set()
        for path in paths:
            for name, type_ in self._selected(path, on):
                definition = type_.fields[name].extensions[_DEFINITION]
                required.update(definition.metadata.get(REQUIRES, (definition.python_name,)))
        return frozenset(required)

    def selects(self, *path: str) -> bool:
        """Return whether the field at the end of a path is selected."""
        return any(name == path[-1] for name, _ in self._selected(path[:-1], None))

    def _selected(self, path: Sequence[str], on: str | None) -> list[tuple[str, GraphQLObjectType]]:
        """Return the fields that are selected at the end of a path, each with its parent type."""
        type_ = _object_type(self.info.schema.type_map[on] if on else self.info.return_type)
        nodes = self._collect(type_, self.info.field_nodes)
        for step in path:
            parents = [node for node in nodes if node.name.value == step]
            if not parents:
                return []
            type_ = _object_type(type_.fields[step].type)
            nodes = self._collect(type_, parents)
        return [(node.name.value, type_) for node in nodes if node.name.value in type_.fields]

    def _collect(self, type_: GraphQLObjectType, parents: list[FieldNode]) -> list[FieldNode]:
        info = self.info
        groups = collect_sub_fields(info.schema, info.fragments, info.variable_values, type_, parents)
        return [node for group in groups.values() for node in group]


def _object_type(type_: Any) -> GraphQLObjectType:
    named: GraphQLObjectType = get_named_type(type_)
    return named


def batched_field(
    resolve: Callable[..., Column | Awaitable[Column]],
    *,
    description: str,
    requires: tuple[str, ...] = (),
    graphql_type: Any = None,
) -> Any:
    """Return a field that `resolve(table, context, **arguments)` resolves for all rows of a table.

    `resolve` returns a `Column` as long as the table, or an awaitable of one. An exception as an item of the
    column is the error of that row. `requires` names the columns of the table that `resolve` reads, so that
    they are requested from the store. `graphql_type` is the field's type if it has no annotation.
    """
    resolver = _async_resolver(resolve) if inspect.iscoroutinefunction(resolve) else _resolver(resolve)
    parameters = list(inspect.signature(resolve).parameters.values())[2:]
    arguments = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    self_, info = (
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("self", "info")
    )
    info = info.replace(annotation=strawberry.Info)
    resolver.__signature__ = inspect.Signature([self_, info, *arguments])  # type: ignore[attr-defined]
    resolver.__module__ = resolve.__module__
    return strawberry.field(
        resolver=resolver,
        description=description,
        metadata={REQUIRES: requires},
        graphql_type=graphql_type,
    )


def field_key(parent_type: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Hashable:
    """Return the key of a field's result in an `Operation`: its parent type and its nodes in the document."""
    return (parent_type.name, *map(id, nodes))


def _resolver(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def resolve_source(source: Row | Table, info: strawberry.Info, **arguments: Any) -> Any:
        return _result_for(source, _column(resolve, source, info, arguments))

    return resolve_source


def _async_resolver(resolve: Callable[..., Any]) -> Callable[..., Any]:
    async def resolve_source(source: Row | Table, info: strawberry.Info, **arguments: Any) -> Any:
        return _result_for(source, await _column(resolve, source, info, arguments))

    return resolve_source


def _column(
    resolve: Callable[..., Any], source: Row | Table, info: strawberry.Info, arguments: dict[str, Any]
) -> Any:
    context = FieldContext(info._raw_info)  # noqa: SLF001 - Strawberry has no public access to the nodes
    table = source if isinstance(source, Table) else table_of(source)
    key = field_key(context.info.parent_type, context.info.field_nodes)
    return context.operation.compute_once(table, key, lambda: resolve(table, context, **arguments))


def _result_for(source: Row | Table, column: Column) -> Any:
    return column if isinstance(source, Table) else value_at(column, index_of(source))
