"""The search for experiments: its order, its arguments and its connection."""

from enum import Enum
from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.lifecycle import LifecycleView
from schema.ports.table import One, Table
from schema.ports.tracking import Order, Search
from schema.types.arguments import DEFAULT_FIRST, After, First, View, given
from schema.types.connection import Connection, connect
from schema.types.cursor import fingerprint
from schema.types.experiment import Experiment
from schema.types.filter_inputs import ExperimentWhere, condition
from schema.types.run_search import SortDirection, distinct_keys


@strawberry.enum(description="The attributes of experiments to sort by.")
class ExperimentAttribute(Enum):
    """The columns of experiments. Each value is the name of the column in the port."""

    EXPERIMENT_ID = strawberry.enum_value("experiment_id", description="The MLflow id of the experiment.")
    NAME = strawberry.enum_value("name", description="The name of the experiment.")
    CREATED_AT = strawberry.enum_value("created_at", description="The time of creation.")
    UPDATED_AT = strawberry.enum_value(
        "updated_at", description="The time of the last change to the experiment itself, not to its runs."
    )


@strawberry.input(description="One sort key. Experiments without a value sort last in both directions.")
class ExperimentOrder:
    """A sort key of experiments; missing values sort last in both directions."""

    attribute: ExperimentAttribute = strawberry.field(description="The attribute to sort by.")
    direction: SortDirection = strawberry.field(default=SortDirection.ASC, description="The sort direction.")


Filter = Annotated[
    str | None,
    strawberry.argument(
        description="A filter string of MLflow, such as: name LIKE 'sweep%' and tags.team = 'vision'."
    ),
]
OrderBy = Annotated[
    list[ExperimentOrder] | None,
    strawberry.argument(
        description="The sort keys, most significant first. Default: the newest experiments first."
    ),
]


@strawberry.type(description="A page of experiments.")
class ExperimentConnection(Connection[Experiment]):
    """The connection of experiments."""


async def resolve_experiments(
    root: Table,
    context: FieldContext,
    first: First = DEFAULT_FIRST,
    after: After = strawberry.UNSET,
    where: ExperimentWhere = strawberry.UNSET,
    filter: Filter = strawberry.UNSET,  # noqa: A002 - the public name
    order_by: OrderBy = strawberry.UNSET,
    view: View = LifecycleView.ACTIVE,
) -> One:
    """Resolve `Query.experiments`."""
    order = (
        Order(
            by="attribute", key=str(entry.attribute.value), descending=entry.direction is SortDirection.DESC
        )
        for entry in given(order_by) or ()
    )
    text = context.operation.checked_filter(given(filter))
    search_condition = condition(given(where), context.operation.limits.max_conditions, text)
    search = Search(
        filter=text, where=search_condition, order=distinct_keys(order, context.operation.limits), view=view
    )
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
