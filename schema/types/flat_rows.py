"""Flat rows for BI tools: scalars alone, no lists inside, and pages by number."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.exports.row_scan import (
    POINTS_PER_CHUNK,
    RUNS_PER_CHUNK,
    Chunks,
    RowSearch,
    ScanOptions,
    experiment_rows,
    key_value_rows,
    point_rows,
    read_window,
    run_rows,
)
from schema.ports.errors import BadUserInput
from schema.ports.table import Many, Table
from schema.ports.tracking import Tracking
from schema.types.arguments import given
from schema.types.scalars import DateTime

DEFAULT_ROWS = 1000
_TEXTS = {None: "", "NAN": "NaN", "POSITIVE_INFINITY": "Infinity", "NEGATIVE_INFINITY": "-Infinity"}

_Experiment = Annotated[
    str | None,
    strawberry.argument(description="Only of the experiment with this exact name; all active ones without."),
]
_Filter = Annotated[
    str | None, strawberry.argument(description="Only of runs that match MLflow's filter string.")
]
_Key = Annotated[str | None, strawberry.argument(description="Only what stands under this key.")]
_First = Annotated[int | None, strawberry.argument(description="How many rows to return at most.")]
_Offset = Annotated[
    int | None, strawberry.argument(description="How many rows to leave out from the first on.")
]


@strawberry.type(description="An experiment, as a row of a table.")
class ExperimentRow:
    """What the table of experiments has."""

    experiment_id: str = strawberry.field(description="MLflow's id of it.")
    name: str = strawberry.field(description="Its name.")
    lifecycle_stage: str = strawberry.field(description="ACTIVE or DELETED.")
    created_at: DateTime | None = strawberry.field(description="When it was created.")
    updated_at: DateTime | None = strawberry.field(description="When it was changed last.")


@strawberry.type(description="A run, as a row of a table.")
class RunRow:
    """What the table of runs has."""

    run_id: str = strawberry.field(description="MLflow's id of the run.")
    experiment_id: str = strawberry.field(description="MLflow's id of its experiment.")
    experiment_name: str = strawberry.field(description="The name of its experiment.")
    run_name: str | None = strawberry.field(description="The run's name, which need not be unique.")
    status: str = strawberry.field(description="SCHEDULED, RUNNING, FINISHED, FAILED or KILLED.")
    lifecycle_stage: str = strawberry.field(description="ACTIVE or DELETED.")
    user_id: str | None = strawberry.field(description="Who started the run, as the client said.")
    started_at: DateTime | None = strawberry.field(description="When the run started.")
    ended_at: DateTime | None = strawberry.field(description="When the run ended; null while it runs.")
    duration_seconds: float | None = strawberry.field(
        description="The time from start to end in seconds; null while it runs."
    )
    parent_run_id: str | None = strawberry.field(description="MLflow's id of the run that it is part of.")


@strawberry.type(description="A parameter of a run, as a row of a table.")
class ParamRow:
    """What the table of params has."""

    run_id: str = strawberry.field(description="MLflow's id of the run.")
    experiment_id: str = strawberry.field(description="MLflow's id of its experiment.")
    key: str = strawberry.field(description="The name that it was logged under.")
    value: str = strawberry.field(description="Its value.")


@strawberry.type(description="A tag of a run, as a row of a table.")
class TagRow:
    """What the table of tags has."""

    run_id: str = strawberry.field(description="MLflow's id of the run.")
    experiment_id: str = strawberry.field(description="MLflow's id of its experiment.")
    key: str = strawberry.field(description="The name that it was set under.")
    value: str = strawberry.field(description="Its value.")


@strawberry.type(description="The last value of a metric of a run, as a row of a table.")
class MetricRow:
    """What the table of metrics has."""

    run_id: str = strawberry.field(description="MLflow's id of the run.")
    experiment_id: str = strawberry.field(description="MLflow's id of its experiment.")
    key: str = strawberry.field(description="The name that it was logged under.")
    value: float | None = strawberry.field(description="The last value; null when it is not finite.")
    value_text: str = strawberry.field(description="The value as text; NaN, Infinity and -Infinity too.")
    step: float = strawberry.field(description="The step of the value; exact up to 2^53.")
    timestamp: DateTime = strawberry.field(description="When the value was logged.")


@strawberry.type(description="One logged value of a metric of a run, as a row of a table.")
class MetricPointRow:
    """What the table of metric points has."""

    run_id: str = strawberry.field(description="MLflow's id of the run.")
    experiment_id: str = strawberry.field(description="MLflow's id of its experiment.")
    key: str = strawberry.field(description="The name that it was logged under.")
    value: float | None = strawberry.field(description="The value; null when it is not finite.")
    value_text: str = strawberry.field(description="The value as text; NaN, Infinity and -Infinity too.")
    step: float = strawberry.field(description="The step of the value; exact up to 2^53.")
    timestamp: DateTime = strawberry.field(description="When the value was logged.")


async def _experiment_rows(
    _root: Table, context: FieldContext, first: _First = DEFAULT_ROWS, offset: _Offset = 0
) -> Many:
    return await _page(
        context, first, offset, lambda walk: experiment_rows(context.tracking, RowSearch(), walk)
    )


async def _run_rows(
    _root: Table,
    context: FieldContext,
    experiment: _Experiment = strawberry.UNSET,
    filter: _Filter = strawberry.UNSET,  # noqa: A002 - the public name
    first: _First = DEFAULT_ROWS,
    offset: _Offset = 0,
) -> Many:
    asked = RowSearch(given(experiment), context.operation.checked_filter(given(filter)))
    columns = context.columns(())
    return await _page(context, first, offset, lambda walk: run_rows(context.tracking, asked, walk, columns))


def _logged_rows(read: Callable[[Tracking, RowSearch, ScanOptions], Chunks], *, skips: bool = False) -> Any:
    """Return the answer of a field of rows of what runs logged; `skips` as for `_page`."""

    async def rows(
        _root: Table,
        context: FieldContext,
        experiment: _Experiment = strawberry.UNSET,
        filter: _Filter = strawberry.UNSET,  # noqa: A002 - the public name
        key: _Key = strawberry.UNSET,
        first: _First = DEFAULT_ROWS,
        offset: _Offset = 0,
    ) -> Many:
        asked = RowSearch(given(experiment), context.operation.checked_filter(given(filter)), given(key))
        return await _page(
            context, first, offset, lambda walk: read(context.tracking, asked, walk), skips=skips
        )

    return rows


@strawberry.type(description="What can be asked as flat rows.")
class RowQuery:
    """The root fields for BI tools, part of the root type of queries."""

    experiment_rows: list[ExperimentRow] = batched_field(
        _experiment_rows, description="Active experiments as flat rows, created last first."
    )
    run_rows: list[RunRow] = batched_field(
        _run_rows, description="Active runs as flat rows, started last first."
    )
    param_rows: list[ParamRow] = batched_field(
        _logged_rows(partial(key_value_rows, kind="params")),
        description="Parameters as flat rows, in the order of runs, then by key.",
    )
    tag_rows: list[TagRow] = batched_field(
        _logged_rows(partial(key_value_rows, kind="tags")),
        description="Tags of runs as flat rows, in the order of runs, then by key.",
    )
    metric_rows: list[MetricRow] = batched_field(
        _logged_rows(partial(key_value_rows, kind="metrics")),
        description="Last values of metrics as flat rows, in the order of runs, then by key.",
    )
    metric_point_rows: list[MetricPointRow] = batched_field(
        _logged_rows(point_rows, skips=True),
        description="All values of metrics as flat rows, in the order of runs, then by key, step and time.",
    )


async def _page(
    context: FieldContext,
    first: int | None,
    offset: int | None,
    read: Callable[[ScanOptions], Chunks],
    *,
    skips: bool = False,
) -> Many:
    """Return one page of rows; `skips` says that what is read leaves out the rows before it by itself."""
    size = DEFAULT_ROWS if first is None else first
    skip = offset or 0
    rows = await read_window(read(_walk(context, size, skip)), 0 if skips else skip, size)
    if "step" not in rows.columns:
        return Many.for_single_parent(rows)
    texts = [
        _TEXTS[name] if value is None else repr(value)
        for value, name in zip(rows["value"], rows["non_finite"], strict=True)
    ]
    steps = list(map(float, rows["step"]))
    return Many.for_single_parent(Table(rows.size, {**rows.columns, "value_text": texts, "step": steps}))


def _walk(context: FieldContext, first: int, offset: int) -> ScanOptions:
    most = context.operation.limits.max_rows
    if not 0 <= first <= most:
        message = f"first must be from 0 to {most} (GQL_MAX_ROWS), not {first}."
        raise BadUserInput(message)
    if offset < 0:
        message = f"offset must not be negative, as {offset} is."
        raise BadUserInput(message)
    return ScanOptions(
        runs_per_chunk=max(1, min(RUNS_PER_CHUNK, first + offset)),
        points_per_chunk=min(POINTS_PER_CHUNK, max(first, DEFAULT_ROWS)),
        max_runs=context.operation.limits.max_scanned_runs,
        skip=offset,
        max_conditions=context.operation.limits.max_conditions,
    )
