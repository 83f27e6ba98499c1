"""The schema: its root types, scalars and execution context."""

from collections.abc import Iterable
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig

from schema.engine.level_execution import LevelExecution
from schema.ports.table import Row, Table
from schema.types.mutations.mutation import Mutation
from schema.types.query import Query
from schema.types.scalars import SCALARS
from schema.types.subscription import Subscription

ROOT = Row(Table(1, {}), 0)
"""The root value: the row of a table of one row, so that root fields resolve like all others."""


class Schema(strawberry.Schema):
    """Strawberry's schema without its error log: the caller of the execution reports errors."""

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Do nothing. Strawberry would log each error."""


def build_schema(extensions: Iterable[Any] = (), *, writable: bool = False) -> Schema:
    """Return the schema with level-wise execution. It has mutations only if `writable`."""
    return Schema(
        query=Query,
        mutation=Mutation if writable else None,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=LevelExecution,
        extensions=list(extensions),
    )
