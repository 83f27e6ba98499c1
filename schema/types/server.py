"""Information about this server and its store."""

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.store_kind import StoreKind
from schema.ports.table import Column, One, Table


@strawberry.type(description="This server and its tracking store.")
class Server:
    """For clients that adapt to the server."""

    version: str = strawberry.field(description="The version of this server.")
    mlflow_version: str = strawberry.field(description="The version of the MLflow package on this server.")
    store: StoreKind = strawberry.field(description="The kind of the tracking store.")
    read_only: bool = strawberry.field(
        description="Whether the server is read-only. If so, it has no mutations."
    )


def resolve_server(_root: Table, context: FieldContext) -> One:
    """Resolve `Query.server`."""
    info = context.operation.server_info
    columns: dict[str, Column] = {
        "version": [info.version],
        "mlflow_version": [info.mlflow_version],
        "store": [context.tracking.kind],
        "read_only": [info.read_only],
    }
    return One.for_single_parent(Table(1, columns))
