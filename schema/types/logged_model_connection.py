"""The connection of logged models."""

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.table import One, Table
from schema.types.arguments import DEFAULT_FIRST, After, First, given
from schema.types.connection import Connection, connect
from schema.types.cursor import fingerprint
from schema.types.logged_model import LoggedModel


@strawberry.type(description="A page of logged models.")
class LoggedModelConnection(Connection[LoggedModel]):
    """The connection of logged models."""


async def resolve_models_of_experiments(
    experiments: Table, context: FieldContext, first: First = DEFAULT_FIRST, after: After = strawberry.UNSET
) -> One:
    """Resolve `Experiment.loggedModels`."""
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
