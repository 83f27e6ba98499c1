"""Paging through logged models: the connection."""

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.table import One, Table
from schema.types.arguments import DEFAULT_FIRST, After, First, given
from schema.types.connection import PageInfo, connect
from schema.types.cursor import fingerprint
from schema.types.logged_model import LoggedModel


@strawberry.type(description="A logged model at its place in a connection.")
class LoggedModelEdge:
    """Relay's edge."""

    cursor: str = strawberry.field(description="The place just behind this model, to give as after.")
    node: LoggedModel = strawberry.field(description="The logged model.")


@strawberry.type(description="A page of logged models.")
class LoggedModelConnection:
    """Relay's connection, with nodes and totalCount beside the edges."""

    edges: list[LoggedModelEdge] = strawberry.field(description="The page's models with their cursors.")
    nodes: list[LoggedModel] = strawberry.field(description="The page's models.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the connection.")
    total_count: int | None = strawberry.field(
        description=(
            "How many models there are in all; counted only when selected, "
            "and null where counting would pass the scan limit of the server."
        )
    )


async def models_of_experiments(
    experiments: Table, context: FieldContext, first: First = DEFAULT_FIRST, after: After = strawberry.UNSET
) -> One:
    """Return the connection of each experiment's logged models."""
    ids = experiments["experiment_id"]
    models = context.tracking.models
    connections = await connect(
        context,
        [fingerprint("logged models", experiment_id) for experiment_id in ids],
        first,
        given(after),
        lambda page: models.of_experiments(ids, page),
        lambda: models.count_of_experiments(ids),
    )
    return One(connections, range(experiments.size))
