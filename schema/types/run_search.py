"""The search for runs: its order, its arguments and its connection."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Annotated, Any

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.query_limits import QueryLimits
from schema.ports.table import Table
from schema.ports.tracking import Order, Scope, Search
from schema.types.arguments import distinct, given
from schema.types.connection import connect
from schema.types.cursor import fingerprint
from schema.types.filter_inputs import RunFilter, condition


@strawberry.enum(description="The direction of a sort key.")
class SortDirection(Enum):
    """Ascending or descending."""

    ASC = strawberry.enum_value(
        "ASC", description="Ascending: smallest, earliest or alphabetically first values first."
    )
    DESC = strawberry.enum_value(
        "DESC", description="Descending: largest, latest or alphabetically last values first."
    )


@strawberry.enum(description="The attributes of runs to sort or group by.")
class RunAttribute(Enum):
    """The columns of runs. Each value is the name of the column in the port."""

    RUN_ID = strawberry.enum_value("run_id", description="The MLflow id of the run.")
    NAME = strawberry.enum_value("name", description="The name of the run.")
    STATUS = strawberry.enum_value("status", description="The status, sorted alphabetically by its name.")
    USER_ID = strawberry.enum_value("user_id", description="The user who started the run.")
    STARTED_AT = strawberry.enum_value("started_at", description="The start time.")
    ENDED_AT = strawberry.enum_value("ended_at", description="The end time.")
    DURATION = strawberry.enum_value("duration", description="The time from start to end.")
    EXPERIMENT_ID = strawberry.enum_value("experiment_id", description="The MLflow id of the experiment.")


@strawberry.input(
    description=(
        "One sort key: exactly one of attribute, metric, param and tag. Runs without a value sort last in "
        "both directions."
    )
)
class RunOrder:
    """A sort key of runs."""

    attribute: RunAttribute | None = strawberry.field(
        default=strawberry.UNSET, description="Sort by this attribute."
    )
    metric: str | None = strawberry.field(
        default=strawberry.UNSET, description="Sort by the last value of the metric with this key."
    )
    param: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Sort by the value of the param with this key, numbers before text.",
    )
    tag: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Sort by the value of the tag with this key, numbers before text.",
    )
    direction: SortDirection = strawberry.field(default=SortDirection.ASC, description="The sort direction.")


Filter = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "A filter string of MLflow, such as: metrics.loss < 0.1 and params.optimizer = 'adam'. If where "
            "is given too, runs must match both."
        )
    ),
]
OrderBy = Annotated[
    list[RunOrder] | None,
    strawberry.argument(
        description="The sort keys, most significant first. Default: the most recently started runs first."
    ),
]


def run_search(
    context: FieldContext,
    where: RunFilter | None,
    filter_: str | None,
    order_by: list[RunOrder] | None,
    view: LifecycleView,
) -> Search:
    """Return the search that the arguments of a field specify; omitted arguments may be UNSET."""
    text = context.operation.checked_filter(given(filter_))
    return Search(
        filter=text,
        where=condition(given(where), context.operation.limits.max_conditions, text),
        order=distinct_keys(map(_order, given(order_by) or ()), context.operation.limits),
        view=view,
    )


def distinct_keys(order: Iterable[Order], limits: QueryLimits) -> tuple[Order, ...]:
    """Return an order without the keys that occur in it before; raise `LimitExceeded` for too many keys."""
    first: dict[tuple[str, str], Order] = {}
    for entry in order:
        first.setdefault((entry.by, entry.key), entry)
    return tuple(distinct(first.values(), limits.max_sort_keys, "orderBy", "GQL_MAX_SORT_KEYS"))


def one_target(entry: Any, names: Sequence[str], argument: str) -> tuple[str, Any]:
    """Return the name and value of the only one of these fields that an entry of an argument has.

    Raise `BadUserInput` if it has none or several.
    """
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
    """Return a table with the connection of runs of each scope."""
    fingerprints = [fingerprint("runs", scope, search) for scope in scopes]
    return await connect(
        context,
        fingerprints,
        first,
        after,
        lambda page: context.tracking.runs(scopes, search, page),
        lambda: context.tracking.count_runs(scopes, search),
    )
