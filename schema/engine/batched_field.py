"""Fields that are answered for all rows of a level at once.

`across` turns a function over a whole table into a Strawberry field. graphql-core calls the field row by
row; the first call answers for the whole table and the others value_at their row from it. The level-wise
execution (`schema.engine.level_execution`) calls it once, with the table itself.
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

NEEDS = "needs"
"""The key in a field's metadata under which it names the columns that it reads."""

_DEFINITION = "strawberry-definition"


@dataclass(frozen=True, slots=True)
class FieldContext:
    """One question of a document: a field, where it stands and what is selected below it."""

    info: GraphQLResolveInfo

    @property
    def operation(self) -> Operation:
        """Return the operation that the question is part of."""
        operation: Operation = self.info.context
        return operation

    @property
    def tracking(self) -> TrackingWithArtifacts:
        """Return the store to ask."""
        return self.operation.tracking

    def columns(self, *paths: Sequence[str], on: str | None = None) -> frozenset[str]:
        """Return the columns that the selections at the end of these paths of field names read.

        `on` names the object type at the start where the field's own type is an interface.
        """
        needed: set[str] = set()
        for path in paths:
            for name, type_ in self._selected(path, on):
                definition = type_.fields[name].extensions[_DEFINITION]
                needed.update(definition.metadata.get(NEEDS, (definition.python_name,)))
        return frozenset(needed)

    def selects(self, *path: str) -> bool:
        """Say whether the field at the end of the path is selected."""
        return any(name == path[-1] for name, _ in self._selected(path[:-1], None))

    def _selected(self, path: Sequence[str], on: str | None) -> list[tuple[str, GraphQLObjectType]]:
        type_ = _object_type(self.info.schema.type_map[on] if on else self.info.return_type)
        nodes = self._below(type_, self.info.field_nodes)
        for step in path:
            inner = [node for node in nodes if node.name.value == step]
            if not inner:
                return []
            type_ = _object_type(type_.fields[step].type)
            nodes = self._below(type_, inner)
        return [(node.name.value, type_) for node in nodes if node.name.value in type_.fields]

    def _below(self, type_: GraphQLObjectType, nodes: list[FieldNode]) -> list[FieldNode]:
        info = self.info
        groups = collect_sub_fields(info.schema, info.fragments, info.variable_values, type_, nodes)
        return [node for group in groups.values() for node in group]


def _object_type(type_: Any) -> GraphQLObjectType:
    named: GraphQLObjectType = get_named_type(type_)
    return named


def batched_field(
    answer: Callable[..., Column | Awaitable[Column]],
    *,
    description: str,
    needs: tuple[str, ...] = (),
) -> Any:
    """Return a field whose values `answer(table, ask, **arguments)` gives for all rows of a table.

    `answer` returns a `Column` as long as the table, or an awaitable of one. `needs` names the columns of
    the table that it reads, for the store to fetch. An item that is an exception is that row's error.
    """
    resolver = _async_resolver(answer) if inspect.iscoroutinefunction(answer) else _resolver(answer)
    parameters = list(inspect.signature(answer).parameters.values())[2:]
    keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    fixed = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("self", "info")]
    fixed[1] = fixed[1].replace(annotation=strawberry.Info)
    resolver.__signature__ = inspect.Signature([*fixed, *keyword])  # type: ignore[attr-defined]
    resolver.__module__ = answer.__module__
    return strawberry.field(resolver=resolver, description=description, metadata={NEEDS: needs})


def question(type_: GraphQLObjectType, nodes: Sequence[FieldNode]) -> Hashable:
    """Return what tells one question about a table from another: the nodes of the document that ask it."""
    return (type_.name, *map(id, nodes))


def _resolver(answer: Callable[..., Any]) -> Callable[..., Any]:
    def resolve(source: Row | Table, info: strawberry.Info, **arguments: Any) -> Any:
        return _own(source, _column(answer, source, info, arguments))

    return resolve


def _async_resolver(answer: Callable[..., Any]) -> Callable[..., Any]:
    async def resolve(source: Row | Table, info: strawberry.Info, **arguments: Any) -> Any:
        return _own(source, await _column(answer, source, info, arguments))

    return resolve


def _column(
    answer: Callable[..., Any], source: Row | Table, info: strawberry.Info, arguments: dict[str, Any]
) -> Any:
    ask = FieldContext(info._raw_info)  # noqa: SLF001 - Strawberry has no public way to the field's nodes
    table = source if isinstance(source, Table) else table_of(source)
    return ask.operation.compute_once(
        table, question(ask.info.parent_type, ask.info.field_nodes), lambda: answer(table, ask, **arguments)
    )


def _own(source: Row | Table, column: Column) -> Any:
    return column if isinstance(source, Table) else value_at(column, index_of(source))
