"""The root type of queries."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.errors import BadUserInput
from schema.ports.table import One, Row, Table
from schema.types.connection import connection_reads
from schema.types.flat_rows import RowQuery
from schema.types.live_fields import LiveFields
from schema.types.model_version import ModelVersion, version_key
from schema.types.model_version_connection import resolve_model_version
from schema.types.node import Node, split_global_id
from schema.types.registered_model import RegisteredModel
from schema.types.registered_model_search import (
    RegisteredModelConnection,
    resolve_registered_model,
    resolve_registered_models,
)
from schema.types.server import Server, resolve_server


def _look_ups(context: FieldContext) -> dict[str, Callable[[list[str], frozenset[str]], Awaitable[One]]]:
    """Return the lookup of each type of node, from local ids and columns."""
    tracking = context.tracking
    registry = tracking.registry
    return {
        "Experiment": tracking.experiments_by_id,
        "Run": tracking.runs_by_id,
        "LoggedModel": tracking.models.by_id,
        "RegisteredModel": registry.models_by_name,
        "ModelVersion": lambda ids, columns: registry.versions_by_key(list(map(version_key, ids)), columns),
    }


async def _find_nodes(context: FieldContext, ids: list[str]) -> list[Row | None]:
    """Return the nodes with these global ids, with one lookup for each type."""
    look_ups = _look_ups(context)
    keys = [split_global_id(text, look_ups) for text in ids]
    nodes: dict[tuple[str, str], Row] = {}
    for type_name, look_up in look_ups.items():
        local_ids = list(dict.fromkeys(local_id for name, local_id in keys if name == type_name))
        if local_ids:
            result = await look_up(local_ids, context.columns((), on=type_name))
            table = replace(result.rows, type_name=type_name)
            indexes = zip(local_ids, result.index, strict=True)
            nodes |= {(type_name, id_): Row(table, index) for id_, index in indexes if index is not None}
    return [nodes.get(key) for key in keys]


async def _resolve_node(
    _root: Table,
    context: FieldContext,
    id: Annotated[strawberry.ID, strawberry.argument(description="The global id.")],  # noqa: A002
) -> list[Row | None]:
    return await _find_nodes(context, [id])


async def _resolve_nodes(
    _root: Table,
    context: FieldContext,
    ids: Annotated[
        list[strawberry.ID],
        strawberry.argument(description="The global ids, up to the server's limit (GQL_MAX_PAGE_SIZE)."),
    ],
) -> list[list[Row | None]]:
    limit = context.operation.limits.max_page_size
    if len(ids) > limit:
        message = f"ids may have at most {limit} ids (GQL_MAX_PAGE_SIZE), not {len(ids)}."
        raise BadUserInput(message)
    return [await _find_nodes(context, list(ids))]


@strawberry.type(description="The root type of queries.")
class Query(RowQuery, LiveFields):
    """The root type of queries."""

    node: Node | None = batched_field(
        _resolve_node, description="The object with a global id; null if it does not exist."
    )
    nodes: list[Node | None] = batched_field(
        _resolve_nodes,
        description=(
            "The objects with the given global ids, in the same order; null if an object does not exist."
        ),
        reads=5,  # one for each type
    )
    registered_model: RegisteredModel | None = batched_field(
        resolve_registered_model, description="A registered model by its name; null if it does not exist."
    )
    registered_models: RegisteredModelConnection = batched_field(
        resolve_registered_models,
        description=(
            "A search for registered models, sorted by name. Prompts are included only if the filter selects "
            "them."
        ),
        reads=connection_reads,
    )
    model_version: ModelVersion | None = batched_field(
        resolve_model_version,
        description=(
            "A version of a registered model by its number or an alias. Exactly one of the two is required. "
            "Null if it does not exist."
        ),
        reads=lambda field: 1 + int(field.has_argument("alias")),
    )
    server: Server = batched_field(
        resolve_server,
        description="This server and its tracking store.",
        reads=lambda field: int(field.selects(("databaseRevision",)) or field.selects(("features",))),
    )
