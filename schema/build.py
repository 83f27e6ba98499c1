"""Putting the schema together."""

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

ROOT = Row(Table(1, {}), 0)
"""The root value: a level of one row, so that root fields are answered like all others."""


class Schema(strawberry.Schema):
    """Strawberry's schema; faults are reported by whoever runs the operation, not logged here."""

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Leave errors alone."""


def build_schema(extensions: Iterable[Any] = (), *, writable: bool = False) -> Schema:
    """Return the graph, executed level by level; it has mutations only if it is `writable`."""
    return Schema(
        query=Query,
        mutation=Mutation if writable else None,
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=LevelExecution,
        extensions=list(extensions),
    )
