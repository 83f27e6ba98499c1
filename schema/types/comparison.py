"""Comparisons: what some runs logged, side by side."""

from collections.abc import Hashable, Sequence
from itertools import accumulate, chain, pairwise
from typing import Annotated, Any, Final

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.errors import BadUserInput, NotFound
from schema.ports.related_rows import related_rows
from schema.ports.table import Column, Lists, Many, One, Table
from schema.types.run import Run

_LOGGED: Final = ("params", "metrics", "tags")


@strawberry.type(description="What the runs have under one key of their params or tags.")
class ParamComparison:
    """A row of a comparison, a column a run."""

    key: str = strawberry.field(description="The key that at least one of the runs has.")
    differs: bool = strawberry.field(
        description="Whether the runs have more than one value; having none differs from having any."
    )
    values: list[str | None] = strawberry.field(
        description="The value of each run, in the order asked for; null where a run does not have the key."
    )


@strawberry.type(description="The last values that the runs have of one metric.")
class MetricComparison:
    """A row of a comparison, a column a run."""

    key: str = strawberry.field(description="The name that at least one of the runs logged the metric under.")
    differs: bool = strawberry.field(
        description=(
            "Whether the runs have more than one value; having none differs from having any, and of values "
            "that are not finite each kind from the others."
        )
    )
    values: list[float | None] = strawberry.field(
        description=(
            "The last value of each run, in the order asked for; null where it is not finite, and where the "
            "run did not log the metric."
        )
    )
    minimum: float | None = strawberry.field(
        description="The least of the finite values; null when there is none."
    )
    maximum: float | None = strawberry.field(
        description="The greatest of the finite values; null when there is none."
    )


def _runs(comparison: Table) -> Table:
    runs: Table = comparison["runs"].rows
    return runs


async def _params(comparison: Table, context: FieldContext) -> Many:
    runs = _runs(comparison)
    return _pairs(
        await related_rows(runs, "params", None, lambda _: context.tracking.params(runs["run_id"], None))
    )


async def _tags(comparison: Table, context: FieldContext) -> Many:
    runs = _runs(comparison)
    return _pairs(
        await related_rows(runs, "tags", None, lambda _: context.tracking.tags(runs["run_id"], None))
    )


async def _metrics(comparison: Table, context: FieldContext) -> Many:
    runs = _runs(comparison)
    found = await related_rows(
        runs, "metrics", None, lambda _: context.tracking.metrics(runs["run_id"], None)
    )
    keys, places = _by_key(found)
    values = _cells(places, found.rows["value"])
    # What is not finite is told apart by its name, which no number is equal to.
    names = zip(found.rows["value"], found.rows["non_finite"], strict=True)
    told = _cells(places, [value if name is None else name for value, name in names])
    finite = [[value for value in row if value is not None] for row in values]
    least = [min(row, default=None) for row in finite]
    greatest = [max(row, default=None) for row in finite]
    return _compared(keys, told, values, minimum=least, maximum=greatest)


def _pairs(found: Many) -> Many:
    keys, places = _by_key(found)
    values = _cells(places, found.rows["value"])
    return _compared(keys, values, values)


def _by_key(many: Many) -> tuple[list[str], list[list[int | None]]]:
    """Return all keys, sorted, and for each the place of its row of each parent; None where it has none."""
    keys = sorted(set(many.rows["key"]))
    places: dict[str, list[int | None]] = {key: [None] * len(many.spans) for key in keys}
    for parent, span in enumerate(many.spans):
        for place in range(*span):
            places[many.rows["key"][place]][parent] = place
    return keys, list(places.values())


def _cells(places: Sequence[Sequence[int | None]], column: Sequence[Any]) -> list[list[Any]]:
    return [[None if place is None else column[place] for place in row] for row in places]


def _compared(
    keys: Sequence[str],
    told: Sequence[Sequence[Hashable]],
    values: Sequence[Sequence[Any]],
    **more: Sequence[Any],
) -> Many:
    """Return a row for each key; `told` holds its values in a form in which different ones are unequal."""
    bounds = pairwise(accumulate(map(len, values), initial=0))
    columns: dict[str, Column] = {
        "key": keys,
        "differs": [len(set(row)) > 1 for row in told],
        "values": Lists(list(chain.from_iterable(values)), list(bounds)),
        **more,
    }
    return Many.for_single_parent(Table(len(keys), columns))


@strawberry.type(description="What some runs logged, side by side: a column a run, in the order asked for.")
class RunComparison:
    """Params, metrics and tags are read of the store where they are selected."""

    runs: list[Run] = strawberry.field(description="The runs, in the order asked for.")
    params: list[ParamComparison] = batched_field(
        _params, description="The params of all the runs, sorted by key.", requires=("runs",)
    )
    metrics: list[MetricComparison] = batched_field(
        _metrics, description="The last values of all metrics of the runs, sorted by key.", requires=("runs",)
    )
    tags: list[ParamComparison] = batched_field(
        _tags,
        description="The tags of all the runs, sorted by key, MLflow's own mlflow.* tags included.",
        requires=("runs",),
    )


async def compare_runs(
    _root: Table,
    context: FieldContext,
    run_ids: Annotated[
        list[strawberry.ID],
        strawberry.argument(
            description=(
                "MLflow's ids of the runs, deleted or not. One that is given twice has two columns; none at "
                "all give an empty comparison."
            )
        ),
    ],
) -> One:
    """Look the runs up, with what else the store brings along."""
    most = context.operation.limits.max_compared_runs
    if len(run_ids) > most:
        message = f"compareRuns takes at most {most} runs (GQL_MAX_COMPARED_RUNS), not {len(run_ids)}."
        raise BadUserInput(message)
    runs = await _look_up(context, run_ids) if run_ids else Table(0, {"run_id": []})
    return One.for_single_parent(Table(1, {"runs": Many.for_single_parent(runs)}))


async def _look_up(context: FieldContext, run_ids: Sequence[str]) -> Table:
    along = {name for name in _LOGGED if context.selects(name)}
    found = await context.tracking.runs_by_id(run_ids, context.columns(("runs",)) | along | {"run_id"})
    missing = dict.fromkeys(
        run_id for run_id, place in zip(run_ids, found.index, strict=True) if place is None
    )
    if missing:
        message = f"There is no run {', '.join(missing)}."
        raise NotFound(message)
    return _at(found.rows, [place for place in found.index if place is not None])


def _at(table: Table, places: Sequence[int]) -> Table:
    """Return a table with the rows at these places, some of them perhaps more than once."""
    columns = {
        name: Many(column.rows, [column.spans[place] for place in places])
        if isinstance(column, Many)
        else [column[place] for place in places]  # type: ignore[index]
        for name, column in table.columns.items()
    }
    return Table(len(places), columns)
