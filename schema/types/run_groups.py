"""Groups of runs by the values of keys, with counts and statistics of metrics."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

from schema.engine.batched_field import FieldContext
from schema.engine.chunked_json import rows_of_chunk
from schema.engine.times import format_time
from schema.ports.lifecycle import LifecycleView
from schema.ports.table import Column, Many, Table
from schema.ports.tracking import GroupBy, Grouping
from schema.types.arguments import View, distinct, distinct_names, given
from schema.types.experiment_scope import ExperimentIds, ExperimentNames, experiment_scope
from schema.types.filter_inputs import RunWhere
from schema.types.run_search import Filter, RunAttribute, one_target, run_search


@strawberry.input(
    description=(
        "One grouping key: exactly one of attribute, param and tag. Runs without a value form their own "
        "group."
    )
)
class GroupKey:
    """A grouping key."""

    attribute: RunAttribute | None = strawberry.field(
        default=strawberry.UNSET, description="Group by this attribute."
    )
    param: str | None = strawberry.field(
        default=strawberry.UNSET, description="Group by the value of the param with this key."
    )
    tag: str | None = strawberry.field(
        default=strawberry.UNSET, description="Group by the value of the tag with this key."
    )


@strawberry.type(description="The value of one grouping key, which all runs of a group have.")
class GroupValue:
    """One value of a group's key."""

    name: str = strawberry.field(description="The key of the param or tag, or the name of the attribute.")
    value: str | None = strawberry.field(
        description=(
            "The value as text: times in the format of DateTime, durations in seconds. Null for the group of "
            "runs without a value."
        )
    )


@strawberry.type(
    description="Statistics of the last values of one metric in a group. Only finite values count."
)
class MetricSummary:
    """Statistics as in pandas: `stddev` is the sample standard deviation."""

    key: str = strawberry.field(description="The key of the metric.")
    count: int = strawberry.field(description="The number of runs with a finite value.")
    min: float | None = strawberry.field(description="The smallest value; null if there is no finite value.")
    max: float | None = strawberry.field(description="The largest value; null if there is no finite value.")
    mean: float | None = strawberry.field(
        description=(
            "The mean; null if there is no finite value or if the magnitude of a value exceeds 1e150."
        )
    )
    stddev: float | None = strawberry.field(
        description="The sample standard deviation; null for a single value, and if mean is null."
    )


@strawberry.type(description="A group of runs with equal values of all grouping keys.")
class RunGroup:
    """One group."""

    key: list[GroupValue] = strawberry.field(
        description="The value of each entry of groupBy, in the same order."
    )
    count: int = strawberry.field(description="The number of runs in the group.")
    metrics: list[MetricSummary] = strawberry.field(
        description="Statistics of each metric that any run of the group has, sorted by key."
    )


@dataclass(frozen=True, slots=True)
class _Key:
    """An entry of groupBy: its name in the response, the port's key, and the text format of its values."""

    name: str
    group_by: GroupBy
    format: Callable[[Any], str]


_FORMATS: Mapping[str, Callable[[Any], str]] = {
    "started_at": format_time,
    "ended_at": format_time,
    "duration": repr,
}


async def resolve_run_groups(
    _root: Table,
    context: FieldContext,
    experiment_ids: ExperimentIds = strawberry.UNSET,
    experiment_names: ExperimentNames = strawberry.UNSET,
    where: RunWhere = strawberry.UNSET,
    filter: Filter = strawberry.UNSET,  # noqa: A002 - the public name
    view: View = LifecycleView.ACTIVE,
    group_by: Annotated[
        list[GroupKey] | None,
        strawberry.argument(description="The grouping keys. Default: none, so that all runs are one group."),
    ] = strawberry.UNSET,
    metrics: Annotated[
        list[str] | None,
        strawberry.argument(description="The keys of the metrics to summarize. Default: all metrics."),
    ] = strawberry.UNSET,
) -> Many:
    """Resolve `Query.runGroups`."""
    limits = context.operation.limits
    entries = map(_key, given(group_by) or ())
    keys = distinct(entries, limits.max_sort_keys, "groupBy", "GQL_MAX_SORT_KEYS")
    scope = await experiment_scope(context, "runGroups", given(experiment_ids), given(experiment_names))
    search = run_search(context, where, filter, None, view)
    names = distinct_names(given(metrics), limits, "metrics") if context.selects("metrics") else []
    summarized = None if names is None else tuple(names)
    grouping = Grouping(tuple(key.group_by for key in keys), summarized)
    groups = await context.tracking.run_groups(scope, search, grouping)
    columns: dict[str, Column] = {
        "key": await _group_values(context, keys, groups.values),
        "count": groups.counts,
        "metrics": groups.metrics,
    }
    return Many.for_single_parent(Table(len(groups.counts), columns))


def _texts(keys: Sequence[_Key], groups: Sequence[Sequence[Any]]) -> list[str | None]:
    return [
        None if value is None else key.format(value)
        for values in groups
        for key, value in zip(keys, values, strict=True)
    ]


def _key(entry: GroupKey) -> _Key:
    by, target = one_target(entry, ("attribute", "param", "tag"), "groupBy")
    if isinstance(target, RunAttribute):
        column = str(target.value)
        return _Key(target.name, GroupBy("attribute", column), _FORMATS.get(column, str))
    return _Key(str(target), GroupBy(by, str(target)), str)  # type: ignore[arg-type]


async def _group_values(context: FieldContext, keys: Sequence[_Key], groups: Sequence[Sequence[Any]]) -> Many:
    if not context.selects("key"):
        keys = ()
    names = [key.name for key in keys] * len(groups)
    texts: list[str | None] = []
    rows = rows_of_chunk(len(keys))
    for start in range(0, len(groups) if keys else 0, rows):
        if start:
            await context.operation.answer.take_turn()
        texts += _texts(keys, groups[start : start + rows])
    await context.operation.answer.take_turn()
    spans = [(index * len(keys), (index + 1) * len(keys)) for index in range(len(groups))]
    return Many(Table(len(texts), {"name": names, "value": texts}), spans)
