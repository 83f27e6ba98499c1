"""What this server is and what it talks to."""

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.store_kind import StoreKind
from schema.ports.table import Column, One, Table


@strawberry.type(description="This server, and the store behind it.")
class Server:
    """For clients that adapt to what they talk to."""

    version: str = strawberry.field(description="The version of this server.")
    mlflow_version: str = strawberry.field(description="The version of MLflow that it reads the store with.")
    store: StoreKind = strawberry.field(description="The family that the store is of.")
    read_only: bool = strawberry.field(description="Whether this server only reads.")


def describe_server(_root: Table, context: FieldContext) -> One:
    """Return what the operation carries along of this server."""
    info = context.operation.server_info
    columns: dict[str, Column] = {
        "version": [info.version],
        "mlflow_version": [info.mlflow_version],
        "store": [context.tracking.kind],
        "read_only": [info.read_only],
    }
    return One(Table(1, columns), [0])
