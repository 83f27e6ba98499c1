"""Information about this server and its store."""

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.store_info import StoreFeature
from schema.ports.store_kind import StoreKind
from schema.ports.table import Column, One, Table


@strawberry.type(description="This server and its tracking store.")
class Server:
    """For clients that adapt to the server."""

    version: str = strawberry.field(description="The version of this server.")
    mlflow_version: str = strawberry.field(description="The version of the MLflow package on this server.")
    store: StoreKind = strawberry.field(description="The kind of the tracking store.")
    database_revision: str | None = strawberry.field(
        description="The revision of MLflow's schema that the database of a store of kind SQL has. Null for "
        "other stores, and for a database that does not name it."
    )
    features: list[StoreFeature] = strawberry.field(
        description="What this store and its model registry have besides experiments and runs. It changes if "
        "the store's owner upgrades MLflow."
    )
    read_only: bool = strawberry.field(
        description="Whether the server is read-only. If so, it has no mutations."
    )


async def resolve_server(_root: Table, context: FieldContext) -> One:
    """Resolve `Query.server`; only a selection of what the store has calls the store."""
    info = context.operation.server_info
    columns: dict[str, Column] = {
        "version": [info.version],
        "mlflow_version": [info.mlflow_version],
        "store": [context.tracking.kind],
        "read_only": [info.read_only],
    }
    if context.selects("databaseRevision") or context.selects("features"):
        store = await context.tracking.info()
        columns["database_revision"] = [store.database_revision]
        columns["features"] = [[feature for feature in StoreFeature if feature in store.features]]
    return One.for_single_parent(Table(1, columns))
