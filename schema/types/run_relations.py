"""A run's relatives: the run that it is a child of, and the runs that are its children."""

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.condition import PARENT_TAG
from schema.ports.lifecycle import LifecycleView
from schema.ports.related_rows import related_values
from schema.ports.run_id import is_run_id
from schema.ports.table import One, Table
from schema.ports.tracking import Children, Scope
from schema.types.arguments import DEFAULT_FIRST, After, First, given
from schema.types.filter_inputs import RunWhere
from schema.types.run_search import OrderBy, connect_runs, run_search


async def parent_of(runs: Table, context: FieldContext) -> One:
    """Return each run's parent, deleted or not; none where the tag names no run that is there."""
    named = await related_values(
        runs, "tags", PARENT_TAG, lambda some: context.tracking.tags(runs["run_id"], some)
    )
    # Anyone can write anything into a tag.
    distinct = [text for text in dict.fromkeys(named) if text is not None and is_run_id(text)]
    if not distinct:
        return One(Table(0, {}), [None] * runs.size)
    found = await context.tracking.runs_by_id(distinct, context.columns(()))
    places = dict(zip(distinct, found.index, strict=True))
    return One(found.rows, [None if text is None else places.get(text) for text in named])


async def children_of(
    runs: Table,
    context: FieldContext,
    first: First = DEFAULT_FIRST,
    after: After = strawberry.UNSET,
    where: RunWhere = strawberry.UNSET,
    order_by: OrderBy = strawberry.UNSET,
) -> One:
    """Return the connection of each run's active children."""
    search = run_search(context, where, None, order_by, LifecycleView.ACTIVE)
    scopes: list[Scope] = [
        Children(run_id, experiment_id)
        for run_id, experiment_id in zip(runs["run_id"], runs["experiment_id"], strict=True)
    ]
    return One(await connect_runs(context, scopes, search, first, given(after)), range(runs.size))
