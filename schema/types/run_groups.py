"""Groups of runs: how many there are of each combination of keys, and how their metrics are spread."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import strawberry

from schema.engine.batched_field import FieldContext
from schema.engine.times import format_time
from schema.ports.lifecycle import LifecycleView
from schema.ports.table import Column, Many, Table
from schema.ports.tracking import GroupBy, Grouping
from schema.types.arguments import View, given
from schema.types.experiment_scope import ExperimentIds, ExperimentNames, scope_of
from schema.types.filter_inputs import RunWhere
from schema.types.run_search import Filter, RunAttribute, one_target, run_search


@strawberry.input(description="One key to group by: exactly one of attribute, param and tag.")
class GroupKey:
    """What tells the groups apart; runs without it are a group of their own."""

    attribute: RunAttribute | None = strawberry.field(
        default=strawberry.UNSET, description="Something that every run has."
    )
    param: str | None = strawberry.field(default=strawberry.UNSET, description="A param's key: its value.")
    tag: str | None = strawberry.field(default=strawberry.UNSET, description="A tag's key: its value.")


@strawberry.type(description="What the runs of a group have under one of the keys.")
class GroupValue:
    """One part of a group's key."""

    name: str = strawberry.field(description="The param's or tag's key, or the attribute's name.")
    value: str | None = strawberry.field(
        description=(
            "The value as text, times as DateTime and durations in seconds; null for runs that have none."
        )
    )


@strawberry.type(description="How the last values of one metric are spread over a group's runs.")
class MetricSummary:
    """Of finite values alone; stddev is that of a sample, as in pandas."""

    key: str = strawberry.field(description="The metric's name.")
    count: int = strawberry.field(description="How many of the runs have a finite value.")
    min: float | None = strawberry.field(description="The smallest value.")
    max: float | None = strawberry.field(description="The largest value.")
    mean: float | None = strawberry.field(
        description="The mean; null where a value is beyond 1e150, which sums do not bear."
    )
    stddev: float | None = strawberry.field(
        description="The sample standard deviation; null of a single value, and as for mean."
    )


@strawberry.type(description="The runs that are alike in all keys that were grouped by.")
class RunGroup:
    """One group."""

    key: list[GroupValue] = strawberry.field(description="One value for each entry of groupBy, in its order.")
    count: int = strawberry.field(description="How many runs are in the group.")
    metrics: list[MetricSummary] = strawberry.field(
        description="One summary for each metric that any of the runs has, by key."
    )


_Key = tuple[str, GroupBy, Callable[[Any], str]]
_FORMS: Mapping[str, Callable[[Any], str]] = {
    "started_at": format_time,
    "ended_at": format_time,
    "duration": repr,
}


async def group_runs(
    root: Table,
    context: FieldContext,
    experiment_ids: ExperimentIds = strawberry.UNSET,
    experiment_names: ExperimentNames = strawberry.UNSET,
    where: RunWhere = strawberry.UNSET,
    filter: Filter = strawberry.UNSET,  # noqa: A002 - the public name
    view: View = LifecycleView.ACTIVE,
    group_by: Annotated[
        list[GroupKey] | None,
        strawberry.argument(description="What tells the groups apart; without any, all runs are one group."),
    ] = strawberry.UNSET,
    metrics: Annotated[
        list[str] | None, strawberry.argument(description="The metrics to summarize; all when left out.")
    ] = strawberry.UNSET,
) -> Many:
    """Return the groups of the runs that match, by the values of the keys, none last."""
    keys = [_key(entry) for entry in given(group_by) or ()]
    scope = await scope_of(context, "runGroups", given(experiment_ids), given(experiment_names))
    search = run_search(context, where, filter, None, view)
    wanted = _wanted(given(metrics)) if context.selects("metrics") else ()
    grouping = Grouping(tuple(by for _, by, _ in keys), wanted)
    found = await context.tracking.run_groups(scope, search, grouping)
    columns: dict[str, Column] = {"count": found.counts, "metrics": found.metrics}
    columns["key"] = _values(keys, found.values)
    assert root.size == 1  # noqa: S101 - a root field has one parent
    return Many.for_single_parent(Table(len(found.counts), columns))


def _wanted(metrics: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if metrics is None else tuple(dict.fromkeys(metrics))


def _key(entry: GroupKey) -> _Key:
    by, target = one_target(entry, ("attribute", "param", "tag"), "groupBy")
    if isinstance(target, RunAttribute):
        key = str(target.value)
        return target.name, GroupBy("attribute", key), _FORMS.get(key, str)
    return str(target), GroupBy(by, str(target)), str  # type: ignore[arg-type]


def _values(keys: Sequence[_Key], groups: Sequence[Sequence[Any]]) -> Many:
    names = [name for name, _, _ in keys] * len(groups)
    texts = [
        None if value is None else form(value)
        for values in groups
        for (_, _, form), value in zip(keys, values, strict=True)
    ]
    spans = [(start * len(keys), (start + 1) * len(keys)) for start in range(len(groups))]
    return Many(Table(len(texts), {"name": names, "value": texts}), spans)
