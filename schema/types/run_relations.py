"""The parent and the children of runs."""

from typing import Final

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.condition import PARENT_TAG
from schema.ports.lifecycle import LifecycleView
from schema.ports.related_rows import run_values, settled
from schema.ports.run_id import is_run_id
from schema.ports.table import One, Table
from schema.ports.tracking import Children, Scope
from schema.types.arguments import DEFAULT_FIRST, After, First, given
from schema.types.filter_inputs import RunWhere
from schema.types.run_search import OrderBy, connect_runs, run_search

PARENT_KEYS: Final = frozenset((PARENT_TAG,))
"""The keys of the tags that `resolve_parent` reads."""


async def resolve_parent(runs: Table, context: FieldContext) -> One:
    """Resolve `Run.parent`. A run has no parent if its tag does not have the id of an existing run."""
    parent_ids = await settled(run_values(context.tracking, runs, "tags", PARENT_TAG))
    # Clients can set the tag to any text.
    distinct = [id_ for id_ in dict.fromkeys(parent_ids) if id_ is not None and is_run_id(id_)]
    if not distinct:
        return One(Table(0, {}), [None] * runs.size)
    result = await context.tracking.runs_by_id(distinct, context.columns(()))
    indexes = dict(zip(distinct, result.index, strict=True))
    return One(result.rows, [None if id_ is None else indexes.get(id_) for id_ in parent_ids])


async def resolve_children(
    runs: Table,
    context: FieldContext,
    first: First = DEFAULT_FIRST,
    after: After = strawberry.UNSET,
    where: RunWhere = strawberry.UNSET,
    order_by: OrderBy = strawberry.UNSET,
) -> One:
    """Resolve `Run.children`."""
    search = run_search(context, where, None, order_by, LifecycleView.ACTIVE)
    scopes: list[Scope] = [
        Children(run_id, experiment_id)
        for run_id, experiment_id in zip(runs["run_id"], runs["experiment_id"], strict=True)
    ]
    return One(await connect_runs(context, scopes, search, first, given(after)), range(runs.size))
