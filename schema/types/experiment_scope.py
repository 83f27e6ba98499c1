"""The arguments that select the experiments of a root field."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext
from schema.engine.selection import SelectedField
from schema.ports.errors import BadUserInput
from schema.ports.tracking import ExperimentScope
from schema.types.arguments import distinct_names

ExperimentIds = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(
        description=(
            "Include runs of the experiments with these ids only. Default: all active experiments. Cannot be "
            "combined with experimentNames."
        )
    ),
]
ExperimentNames = Annotated[
    list[str] | None,
    strawberry.argument(
        description=(
            "Include runs of the experiments with these exact names only; names that do not exist are "
            "ignored. Cannot be combined with experimentIds."
        )
    ),
]


def scope_reads(field: SelectedField) -> int:
    """Return the number of calls to the store that `experiment_scope` makes."""
    return int(field.has_argument("experimentNames"))


async def experiment_scope(
    context: FieldContext, field: str, ids: Sequence[str] | None, names: Sequence[str] | None
) -> ExperimentScope:
    """Return the experiments that the arguments of a field select; None if it has neither argument.

    Raise `BadUserInput` if it has both.
    """
    if ids is not None and names is not None:
        message = f"{field} takes experimentIds or experimentNames, not both."
        raise BadUserInput(message)
    limits = context.operation.limits
    ids = distinct_names(ids, limits, "experimentIds")
    names = distinct_names(names, limits, "experimentNames")
    if names is None:
        return None if ids is None else tuple(ids)
    result = await context.tracking.experiments_by_name(names, {"experiment_id"})
    return tuple(result.rows["experiment_id"][index] for index in result.index if index is not None)
