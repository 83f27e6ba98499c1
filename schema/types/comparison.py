"""Comparison of runs: the params, metrics and tags of several runs side by side."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import accumulate, chain, pairwise
from typing import Annotated, Any, Final

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.errors import BadUserInput, NotFound
from schema.ports.related_rows import run_data, settled
from schema.ports.table import Column, Lists, Many, One, Table
from schema.types.run import Run

_LOGGED: Final = ("params", "metrics", "tags")


@strawberry.type(description="The values that the compared runs have for one param or tag.")
class ParamComparison:
    """A row of a comparison, with one value for each run."""

    key: str = strawberry.field(description="The key. At least one of the runs has it.")
    differs: bool = strawberry.field(
        description="Whether the runs have different values. A missing value differs from any value."
    )
    values: list[str | None] = strawberry.field(
        description="The value of each run, in the order of runIds; null if the run does not have the key."
    )


@strawberry.type(description="The last values that the compared runs have for one metric.")
class MetricComparison:
    """A row of a comparison, with one value for each run."""

    key: str = strawberry.field(description="The key of the metric. At least one of the runs has it.")
    differs: bool = strawberry.field(
        description=(
            "Whether the runs have different values. A missing value differs from any value; NaN, Infinity "
            "and -Infinity differ from each other."
        )
    )
    values: list[float | None] = strawberry.field(
        description=(
            "The last value of each run, in the order of runIds; null if it is not finite or if the run does "
            "not have the metric."
        )
    )
    minimum: float | None = strawberry.field(description="The smallest finite value; null if there is none.")
    maximum: float | None = strawberry.field(description="The largest finite value; null if there is none.")


def _runs(comparison: Table) -> Table:
    runs: Table = comparison["runs"].rows
    return runs


async def _resolve_params(comparison: Table, context: FieldContext) -> Many:
    return _compare_text(await settled(run_data(context.tracking, _runs(comparison), "params")))


async def _resolve_tags(comparison: Table, context: FieldContext) -> Many:
    return _compare_text(await settled(run_data(context.tracking, _runs(comparison), "tags")))


async def _resolve_metrics(comparison: Table, context: FieldContext) -> Many:
    metrics = await settled(run_data(context.tracking, _runs(comparison), "metrics"))
    keys, indexes = _rows_by_key(metrics)
    values = _cells(indexes, metrics.rows["value"])
    # A value that is not finite is compared by its name, which is not equal to any number.
    pairs = zip(metrics.rows["value"], metrics.rows["non_finite"], strict=True)
    comparable = _cells(indexes, [value if name is None else name for value, name in pairs])
    finite = [[value for value in row if value is not None] for row in values]
    minimum = [min(row, default=None) for row in finite]
    maximum = [max(row, default=None) for row in finite]
    return _comparisons(keys, comparable, values, minimum=minimum, maximum=maximum)


def _compare_text(data: Many) -> Many:
    keys, indexes = _rows_by_key(data)
    values = _cells(indexes, data.rows["value"])
    return _comparisons(keys, values, values)


def _rows_by_key(data: Many) -> tuple[list[str], list[list[int | None]]]:
    """Return all keys, sorted, and for each key the row index of each run; None if the run lacks the key."""
    keys = sorted(set(data.rows["key"]))
    indexes: dict[str, list[int | None]] = {key: [None] * len(data.spans) for key in keys}
    for run, span in enumerate(data.spans):
        for index in range(*span):
            indexes[data.rows["key"][index]][run] = index
    return keys, list(indexes.values())


def _cells(indexes: Sequence[Sequence[int | None]], column: Sequence[Any]) -> list[list[Any]]:
    return [[None if index is None else column[index] for index in row] for row in indexes]


def _comparisons(
    keys: Sequence[str],
    comparable: Sequence[Sequence[Hashable]],
    values: Sequence[Sequence[Any]],
    **columns: Sequence[Any],
) -> Many:
    """Return one row per key. Two values differ if their entries in `comparable` are not equal."""
    bounds = pairwise(accumulate(map(len, values), initial=0))
    all_columns: dict[str, Column] = {
        "key": keys,
        "differs": [len(set(row)) > 1 for row in comparable],
        "values": Lists(list(chain.from_iterable(values)), list(bounds)),
        **columns,
    }
    return Many.for_single_parent(Table(len(keys), all_columns))


@strawberry.type(description="A comparison of runs, with one value for each run in the order of runIds.")
class RunComparison:
    """Params, metrics and tags are read from the store only if they are selected."""

    runs: list[Run] = strawberry.field(description="The runs, in the order of runIds.")
    params: list[ParamComparison] = batched_field(
        _resolve_params, description="The params of all runs, sorted by key.", requires=("runs",), reads=0
    )
    metrics: list[MetricComparison] = batched_field(
        _resolve_metrics,
        description="The last values of the metrics of all runs, sorted by key.",
        requires=("runs",),
        reads=0,
    )
    tags: list[ParamComparison] = batched_field(
        _resolve_tags,
        description="The tags of all runs, sorted by key, including MLflow's own mlflow.* tags.",
        requires=("runs",),
        reads=0,
    )


async def resolve_compare_runs(
    _root: Table,
    context: FieldContext,
    run_ids: Annotated[
        list[strawberry.ID],
        strawberry.argument(
            description=(
                "The MLflow ids of active or deleted runs. A repeated id has a value for each occurrence. "
                "An empty list returns an empty comparison."
            )
        ),
    ],
) -> One:
    """Resolve `Query.compareRuns`."""
    limit = context.operation.limits.max_compared_runs
    if len(run_ids) > limit:
        message = f"compareRuns takes at most {limit} runs (GQL_MAX_COMPARED_RUNS), not {len(run_ids)}."
        raise BadUserInput(message)
    runs = await _look_up(context, run_ids) if run_ids else Table(0, {"run_id": []})
    return One.for_single_parent(Table(1, {"runs": Many.for_single_parent(runs)}))


async def _look_up(context: FieldContext, run_ids: Sequence[str]) -> Table:
    """Return the runs in the given order. Stores may return the selected params, metrics and tags, too."""
    related = {name for name in _LOGGED if context.selects(name)}
    # A comparison has all keys, whichever of them the selection of runs needs.
    columns = context.columns(("runs",)).with_all(related | {"run_id"})
    result = await context.tracking.runs_by_id(run_ids, columns)
    missing = dict.fromkeys(
        run_id for run_id, index in zip(run_ids, result.index, strict=True) if index is None
    )
    if missing:
        message = f"There is no run {', '.join(missing)}."
        raise NotFound(message)
    return _select_rows(result.rows, [index for index in result.index if index is not None])


def _select_rows(table: Table, indexes: Sequence[int]) -> Table:
    """Return a table of the rows with these indexes, which may repeat."""
    columns = {
        name: replace(column, spans=[column.spans[index] for index in indexes])
        if isinstance(column, Many)
        else [column[index] for index in indexes]  # type: ignore[index]
        for name, column in table.columns.items()
    }
    return Table(len(indexes), columns)
