"""Searching runs: the connection, and the orders that it takes."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.across import Ask
from schema.connection import PageInfo, connect
from schema.cursor import fingerprint
from schema.errors import BadUserInput
from schema.lifecycle import LifecycleView
from schema.run import Run
from schema.table import Table
from schema.tracking import Order, Scope, Search


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


@strawberry.type(description="A run at its place in a connection.")
class RunEdge:
    """Relay's edge."""

    cursor: str = strawberry.field(description="The place just behind this run, to give as after.")
    node: Run = strawberry.field(description="The run.")


@strawberry.type(description="A page of runs.")
class RunConnection:
    """Relay's connection, with nodes and totalCount beside the edges."""

    edges: list[RunEdge] = strawberry.field(description="The page's runs with their cursors.")
    nodes: list[Run] = strawberry.field(description="The page's runs.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the connection.")
    total_count: int | None = strawberry.field(
        description=(
            "How many runs match in all; counted only when selected, "
            "and null where counting would pass the scan limit of the server."
        )
    )


def run_search(filter_: str | None, order_by: list[RunOrder] | None, view: LifecycleView) -> Search:
    """Return the search that the arguments of a runs field ask for."""
    return Search(filter=filter_ or None, order=tuple(map(_order, order_by or ())), view=view)


def _order(entry: RunOrder) -> Order:
    targets = {
        by: target
        for by in ("attribute", "metric", "param", "tag")
        if (target := getattr(entry, by)) not in (None, strawberry.UNSET)
    }
    if len(targets) != 1:
        message = "Each entry of orderBy takes exactly one of attribute, metric, param and tag."
        raise BadUserInput(message)
    ((by, target),) = targets.items()
    key = target.value if isinstance(target, RunAttribute) else target
    return Order(by=by, key=key, descending=entry.direction is SortDirection.DESC)  # type: ignore[arg-type]


async def connect_runs(
    ask: Ask, scopes: list[Scope], search: Search, first: int | None, after: str | None
) -> Table:
    """Return one connection of runs for each scope."""
    marks = [fingerprint("runs", scope, search) for scope in scopes]
    return await connect(
        ask,
        marks,
        first,
        after,
        lambda page: ask.tracking.runs(scopes, search, page),
        lambda: ask.tracking.count_runs(scopes, search),
    )
