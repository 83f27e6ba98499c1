"""Fields that are resolved once for all rows of a table.

`batched_field` turns a function over a whole table into a Strawberry field. graphql-core calls the field once
for each row: the first call computes the column, and every call returns its row's value of it. The level-wise
execution (`schema.engine.level_execution`) calls the field once, with the table as its source.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import strawberry

from schema.engine.operation import Operation
from schema.engine.required_columns import REQUIRES, Requirement
from schema.engine.selection import SelectedField, Selections, field_key
from schema.ports.columns import Columns
from schema.ports.table import Column, Row, Table, index_of, table_of, value_at
from schema.ports.tracking import TrackingWithArtifacts

RESOLVE: Final = "resolve"
"""The key in a field's metadata for the function that resolves it for a table."""
READS: Final = "reads"
"""The key in a field's metadata for the number of calls to the store that its resolver makes at most."""

Reads: TypeAlias = int | Callable[[SelectedField], int]
"""A number of calls to the store, or a function that returns it for a field of a document."""


@dataclass(slots=True, eq=False)
class FieldContext:
    """The context of one field of an operation: the operation, and the selections below the field."""

    operation: Operation
    field: SelectedField
    variables: dict[str, Any]
    """The coerced values of the operation's variables."""

    @property
    def tracking(self) -> TrackingWithArtifacts:
        """Return the store."""
        return self.operation.tracking

    def columns(self, *paths: Sequence[str], on: str | None = None) -> Columns:
        """Return the columns that the selections at the end of these paths of field names require.

        The paths start at the field's type. `on` is the object type to start at if that is an interface.
        """
        return self.field.columns(paths, on, self.variables)

    def selects(self, *path: str) -> bool:
        """Return whether the field at the end of a path is selected."""
        return self.field.selects(path)


def batched_field(
    resolve: Callable[..., Column | Awaitable[Column]],
    *,
    description: str,
    requires: tuple[Requirement, ...] = (),
    graphql_type: Any = None,
    reads: Reads | None = None,
) -> Any:
    """Return a field that `resolve(table, context, **arguments)` resolves for all rows of a table.

    `resolve` returns a `Column` as long as the table, or an awaitable of one. An exception as an item of the
    column is the error of that row. `requires` names the columns of the table that `resolve` reads, so that
    they are requested from the store. `graphql_type` is the field's type if it has no annotation. `reads` is
    the number of calls to the store that `resolve` makes at most, without those for params, metrics and tags
    of runs, which a database returns with the runs. By default it is 1 for an asynchronous function, else 0.
    """
    if reads is None:
        reads = int(inspect.iscoroutinefunction(resolve))

    def resolve_source(source: Row | Table, info: strawberry.Info, **arguments: Any) -> Any:
        column = _column(resolve, source, info, arguments)
        return _await_value(source, column) if isinstance(column, asyncio.Future) else _value(source, column)

    parameters = list(inspect.signature(resolve).parameters.values())[2:]
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    self_, info = (
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("self", "info")
    )
    info = info.replace(annotation=strawberry.Info)
    resolve_source.__signature__ = inspect.Signature([self_, info, *own])  # type: ignore[attr-defined]
    resolve_source.__module__ = resolve.__module__
    return strawberry.field(
        resolver=resolve_source,
        description=description,
        metadata={REQUIRES: requires, RESOLVE: resolve, READS: reads},
        graphql_type=graphql_type,
    )


def _column(
    resolve: Callable[..., Any],
    source: Row | Table,
    strawberry_info: strawberry.Info,
    arguments: dict[str, Any],
) -> Any:
    info = strawberry_info._raw_info  # noqa: SLF001 - Strawberry has no public access to the nodes
    operation: Operation = info.context
    table = source if isinstance(source, Table) else table_of(source)

    def compute() -> Any:
        selections = Selections(info.schema, info.fragments, info.variable_values)
        field = selections.field(info.parent_type, info.field_nodes)
        return resolve(table, FieldContext(operation, field, info.variable_values), **arguments)

    return operation.compute_once(table, field_key(info.parent_type, info.field_nodes), compute)


def _value(source: Row | Table, column: Column) -> Any:
    return column if isinstance(source, Table) else value_at(column, index_of(source))


async def _await_value(source: Row | Table, column: Awaitable[Column]) -> Any:
    return _value(source, await column)
