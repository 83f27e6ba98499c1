"""Searching experiments: the connection, and the orders that it takes."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.lifecycle import LifecycleView
from schema.ports.table import One, Table
from schema.ports.tracking import Order, Search
from schema.types.arguments import DEFAULT_FIRST, After, First, View, given
from schema.types.connection import PageInfo, connect
from schema.types.cursor import fingerprint
from schema.types.experiment import Experiment
from schema.types.filter_inputs import ExperimentWhere, condition
from schema.types.run_search import SortDirection


@strawberry.enum(description="What every experiment has, to order by.")
class ExperimentAttribute(Enum):
    """An experiment's own columns; each value is the column's name in the port."""

    EXPERIMENT_ID = strawberry.enum_value("experiment_id", description="MLflow's id of the experiment.")
    NAME = strawberry.enum_value("name", description="The experiment's name.")
    CREATED_AT = strawberry.enum_value("created_at", description="When it was created.")
    UPDATED_AT = strawberry.enum_value("updated_at", description="When it was last changed itself.")


@strawberry.input(description="One key of an order.")
class ExperimentOrder:
    """What to order experiments by."""

    attribute: ExperimentAttribute = strawberry.field(description="What to order by.")
    direction: SortDirection = strawberry.field(
        default=SortDirection.ASC, description="Which end comes first."
    )


Filter = Annotated[
    str | None,
    strawberry.argument(
        description="MLflow's filter string, such as: name LIKE 'sweep%' and tags.team = 'vision'."
    ),
]
OrderBy = Annotated[
    list[ExperimentOrder] | None,
    strawberry.argument(
        description="The order, by several keys if given; by default what was created last comes first."
    ),
]


@strawberry.type(description="An experiment at its place in a connection.")
class ExperimentEdge:
    """Relay's edge."""

    cursor: str = strawberry.field(description="The place just behind this experiment, to give as after.")
    node: Experiment = strawberry.field(description="The experiment.")


@strawberry.type(description="A page of experiments.")
class ExperimentConnection:
    """Relay's connection, with nodes and totalCount beside the edges."""

    edges: list[ExperimentEdge] = strawberry.field(description="The page's experiments with their cursors.")
    nodes: list[Experiment] = strawberry.field(description="The page's experiments.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the connection.")
    total_count: int | None = strawberry.field(
        description="How many experiments match in all; counted only when selected."
    )


async def search_experiments(
    root: Table,
    context: FieldContext,
    first: First = DEFAULT_FIRST,
    after: After = strawberry.UNSET,
    where: ExperimentWhere = strawberry.UNSET,
    filter: Filter = strawberry.UNSET,  # noqa: A002 - the public name
    order_by: OrderBy = strawberry.UNSET,
    view: View = LifecycleView.ACTIVE,
) -> One:
    """Return the connection of experiments that the arguments ask for."""
    order = tuple(
        Order(
            by="attribute", key=str(entry.attribute.value), descending=entry.direction is SortDirection.DESC
        )
        for entry in given(order_by) or ()
    )
    text = context.operation.checked_filter(given(filter))
    meant = condition(given(where), context.operation.limits.max_conditions, text)
    search = Search(filter=text, where=meant, order=order, view=view)
    tracking = context.tracking

    async def count() -> list[int | None]:
        return [await tracking.count_experiments(search)]

    connections = await connect(
        context,
        [fingerprint("experiments", search)],
        first,
        given(after),
        lambda page: tracking.experiments(search, page),
        count,
    )
    return One(connections, range(root.size))
