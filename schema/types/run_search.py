"""Searching runs: what the arguments of a connection of runs ask for."""

from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.table import Table
from schema.ports.tracking import Order, Scope, Search
from schema.types.arguments import given
from schema.types.connection import connect
from schema.types.cursor import fingerprint
from schema.types.filter_inputs import RunFilter, condition


@strawberry.enum(description="The directions of an order.")
class SortDirection(Enum):
    """Ascending or descending."""

    ASC = strawberry.enum_value("ASC", description="Smallest, earliest or first in the alphabet first.")
    DESC = strawberry.enum_value("DESC", description="Largest, latest or last in the alphabet first.")


@strawberry.enum(description="What every run has, to order by.")
class RunAttribute(Enum):
    """A run's own columns; each value is the column's name in the port."""

    RUN_ID = strawberry.enum_value("run_id", description="MLflow's id of the run.")
    NAME = strawberry.enum_value("name", description="The run's name.")
    STATUS = strawberry.enum_value("status", description="The status, by its name in the alphabet.")
    USER_ID = strawberry.enum_value("user_id", description="Who started the run.")
    STARTED_AT = strawberry.enum_value("started_at", description="When the run started.")
    ENDED_AT = strawberry.enum_value("ended_at", description="When the run ended.")
    DURATION = strawberry.enum_value("duration", description="The time from start to end.")
    EXPERIMENT_ID = strawberry.enum_value("experiment_id", description="MLflow's id of the experiment.")


@strawberry.input(description="One key of an order: exactly one of attribute, metric, param and tag.")
class RunOrder:
    """What to order runs by; runs without the value come last in both directions."""

    attribute: RunAttribute | None = strawberry.field(
        default=strawberry.UNSET, description="Something that every run has."
    )
    metric: str | None = strawberry.field(
        default=strawberry.UNSET, description="A metric's key: its last value."
    )
    param: str | None = strawberry.field(default=strawberry.UNSET, description="A param's key: its value.")
    tag: str | None = strawberry.field(default=strawberry.UNSET, description="A tag's key: its value.")
    direction: SortDirection = strawberry.field(
        default=SortDirection.ASC, description="Which end comes first."
    )


Filter = Annotated[
    str | None,
    strawberry.argument(
        description="MLflow's filter string, such as: metrics.loss < 0.1 and params.optimizer = 'adam'."
    ),
]
OrderBy = Annotated[
    list[RunOrder] | None,
    strawberry.argument(
        description="The order, by several keys if given; by default the runs started last come first."
    ),
]


def run_search(
    context: FieldContext,
    where: RunFilter | None,
    filter_: str | None,
    order_by: list[RunOrder] | None,
    view: LifecycleView,
) -> Search:
    """Return the search that the arguments of a runs field ask for; what was left out may be unset."""
    text = context.operation.checked_filter(given(filter_))
    return Search(
        filter=text,
        where=condition(given(where), context.operation.limits.max_conditions, text),
        order=tuple(map(_order, given(order_by) or ())),
        view=view,
    )


def one_target(entry: Any, names: Sequence[str], argument: str) -> tuple[str, Any]:
    """Return the only one of these fields that an entry of an argument has; BadUserInput for none or more."""
    targets = [
        (name, target) for name in names if (target := getattr(entry, name)) not in (None, strawberry.UNSET)
    ]
    if len(targets) != 1:
        message = f"Each entry of {argument} takes exactly one of {', '.join(names[:-1])} and {names[-1]}."
        raise BadUserInput(message)
    return targets[0]


def _order(entry: RunOrder) -> Order:
    by, target = one_target(entry, ("attribute", "metric", "param", "tag"), "orderBy")
    key = target.value if isinstance(target, RunAttribute) else target
    return Order(by=by, key=key, descending=entry.direction is SortDirection.DESC)  # type: ignore[arg-type]


async def connect_runs(
    context: FieldContext, scopes: list[Scope], search: Search, first: int | None, after: str | None
) -> Table:
    """Return one connection of runs for each scope."""
    marks = [fingerprint("runs", scope, search) for scope in scopes]
    return await connect(
        context,
        marks,
        first,
        after,
        lambda page: context.tracking.runs(scopes, search, page),
        lambda: context.tracking.count_runs(scopes, search),
    )
