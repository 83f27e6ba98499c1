"""Which experiments a root field is about."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.errors import BadUserInput
from schema.ports.tracking import ExperimentScope

ExperimentIds = Annotated[
    list[strawberry.ID] | None, strawberry.argument(description="Only runs of these experiments.")
]
ExperimentNames = Annotated[
    list[str] | None,
    strawberry.argument(description="Only runs of the experiments with these exact names."),
]


async def scope_of(
    context: FieldContext, field: str, ids: Sequence[str] | None, names: Sequence[str] | None
) -> ExperimentScope:
    """Return the experiments that either argument of a field names; None where neither is given."""
    if ids is not None and names is not None:
        message = f"{field} takes experimentIds or experimentNames, not both."
        raise BadUserInput(message)
    if names is None:
        return None if ids is None else tuple(dict.fromkeys(ids))
    found = await context.tracking.experiments_by_name(list(dict.fromkeys(names)), {"experiment_id"})
    return tuple(found.rows["experiment_id"][place] for place in found.index if place is not None)
