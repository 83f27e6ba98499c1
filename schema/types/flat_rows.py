"""Flat rows for BI tools: rows of scalars without nested lists, in pages by offset."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Annotated, Any, Final

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
from schema.ports.non_finite import NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY
from schema.ports.table import Many, Table
from schema.ports.tracking import Tracking
from schema.types.arguments import given
from schema.types.scalars import DateTime

DEFAULT_ROWS = 1000
_TEXTS: Final[Mapping[str | None, str]] = {
    None: "",
    NAN: "NaN",
    POSITIVE_INFINITY: "Infinity",
    NEGATIVE_INFINITY: "-Infinity",
}
"""The text of a value that is null, by its name in `non_finite`."""

_Experiment = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "Include the experiment with this exact name only. Default: all active experiments. A name that "
            "does not exist is a NOT_FOUND error."
        )
    ),
]
_Filter = Annotated[
    str | None, strawberry.argument(description="Include runs that match this filter string of MLflow only.")
]
_Key = Annotated[str | None, strawberry.argument(description="Include this key only. Default: all keys.")]
_First = Annotated[
    int | None,
    strawberry.argument(
        description="Maximum number of rows to return, up to the server's limit (GQL_MAX_ROWS)."
    ),
]
_Offset = Annotated[
    int | None, strawberry.argument(description="The number of rows to skip, from the first row on.")
]


_READS: Final = 2
"""A page of flat rows takes any number of calls to the store, and so more than one."""


@strawberry.type(description="An experiment as a flat row.")
class ExperimentRow:
    """A row of `experimentRows`."""

    experiment_id: str = strawberry.field(description="The MLflow id of the experiment.")
    name: str = strawberry.field(description="The name of the experiment.")
    lifecycle_stage: str = strawberry.field(description="The lifecycle stage: ACTIVE or DELETED.")
    created_at: DateTime | None = strawberry.field(
        description="The time of creation; null if the store does not record it."
    )
    updated_at: DateTime | None = strawberry.field(
        description="The time of the last change to the experiment; null if the store does not record it."
    )


@strawberry.type(description="A run as a flat row.")
class RunRow:
    """A row of `runRows`."""

    run_id: str = strawberry.field(description="The MLflow id of the run.")
    experiment_id: str = strawberry.field(description="The MLflow id of the run's experiment.")
    experiment_name: str = strawberry.field(description="The name of the run's experiment.")
    run_name: str | None = strawberry.field(description="The name of the run. It need not be unique.")
    status: str = strawberry.field(description="The status: SCHEDULED, RUNNING, FINISHED, FAILED or KILLED.")
    lifecycle_stage: str = strawberry.field(description="The lifecycle stage: ACTIVE or DELETED.")
    user_id: str | None = strawberry.field(
        description="The user who started the run, as reported by the client."
    )
    started_at: DateTime | None = strawberry.field(description="The start time of the run.")
    ended_at: DateTime | None = strawberry.field(
        description="The end time of the run; null if it has not ended."
    )
    duration_seconds: float | None = strawberry.field(
        description="The time from start to end, in seconds; null if the run has not ended."
    )
    parent_run_id: str | None = strawberry.field(
        description="The MLflow id of the parent run; null if there is none."
    )


@strawberry.type(description="A param of a run as a flat row.")
class ParamRow:
    """A row of `paramRows`."""

    run_id: str = strawberry.field(description="The MLflow id of the run.")
    experiment_id: str = strawberry.field(description="The MLflow id of the run's experiment.")
    experiment_name: str = strawberry.field(description="The name of the run's experiment.")
    run_name: str | None = strawberry.field(description="The name of the run. It need not be unique.")
    key: str = strawberry.field(description="The key of the param.")
    value: str = strawberry.field(description="The value of the param.")


@strawberry.type(description="A tag of a run as a flat row.")
class TagRow:
    """A row of `tagRows`."""

    run_id: str = strawberry.field(description="The MLflow id of the run.")
    experiment_id: str = strawberry.field(description="The MLflow id of the run's experiment.")
    experiment_name: str = strawberry.field(description="The name of the run's experiment.")
    run_name: str | None = strawberry.field(description="The name of the run. It need not be unique.")
    key: str = strawberry.field(description="The key of the tag.")
    value: str = strawberry.field(description="The value of the tag.")


@strawberry.type(description="The last value of a metric of a run as a flat row.")
class MetricRow:
    """A row of `metricRows`."""

    run_id: str = strawberry.field(description="The MLflow id of the run.")
    experiment_id: str = strawberry.field(description="The MLflow id of the run's experiment.")
    experiment_name: str = strawberry.field(description="The name of the run's experiment.")
    run_name: str | None = strawberry.field(description="The name of the run. It need not be unique.")
    key: str = strawberry.field(description="The key of the metric.")
    value: float | None = strawberry.field(description="The last value; null if it is not finite.")
    value_text: str = strawberry.field(
        description="The value as text, including NaN, Infinity and -Infinity."
    )
    step: float = strawberry.field(description="The step of the value, as a float; exact up to 2^53.")
    timestamp: DateTime = strawberry.field(description="The time of the value, by the client's clock.")


@strawberry.type(description="A point of a metric of a run as a flat row.")
class MetricPointRow:
    """A row of `metricPointRows`."""

    run_id: str = strawberry.field(description="The MLflow id of the run.")
    experiment_id: str = strawberry.field(description="The MLflow id of the run's experiment.")
    experiment_name: str = strawberry.field(description="The name of the run's experiment.")
    run_name: str | None = strawberry.field(description="The name of the run. It need not be unique.")
    key: str = strawberry.field(description="The key of the metric.")
    value: float | None = strawberry.field(description="The value; null if it is not finite.")
    value_text: str = strawberry.field(
        description="The value as text, including NaN, Infinity and -Infinity."
    )
    step: float = strawberry.field(description="The step of the value, as a float; exact up to 2^53.")
    timestamp: DateTime = strawberry.field(description="The time of the value, by the client's clock.")


async def _resolve_experiment_rows(
    _root: Table, context: FieldContext, first: _First = DEFAULT_ROWS, offset: _Offset = 0
) -> Many:
    read = partial(experiment_rows, context.tracking, RowSearch())
    return await _read_page(context, first, offset, read)


async def _resolve_run_rows(
    _root: Table,
    context: FieldContext,
    experiment: _Experiment = strawberry.UNSET,
    filter: _Filter = strawberry.UNSET,  # noqa: A002 - the public name
    first: _First = DEFAULT_ROWS,
    offset: _Offset = 0,
) -> Many:
    search = RowSearch(given(experiment), context.operation.checked_filter(given(filter)))
    read = partial(run_rows, context.tracking, search, columns=context.columns(()))
    return await _read_page(context, first, offset, read)


def _logged_rows_resolver(
    read: Callable[[Tracking, RowSearch, ScanOptions, Iterable[str]], Chunks], *, skips: bool = False
) -> Any:
    """Return the resolver of a field for rows of logged data; `skips` as in `_read_page`."""

    async def resolve_rows(
        _root: Table,
        context: FieldContext,
        experiment: _Experiment = strawberry.UNSET,
        filter: _Filter = strawberry.UNSET,  # noqa: A002 - the public name
        key: _Key = strawberry.UNSET,
        first: _First = DEFAULT_ROWS,
        offset: _Offset = 0,
    ) -> Many:
        search = RowSearch(given(experiment), context.operation.checked_filter(given(filter)), given(key))
        columns = context.columns(())

        def read_page(options: ScanOptions) -> Chunks:
            return read(context.tracking, search, options, columns)

        return await _read_page(context, first, offset, read_page, skips=skips)

    return resolve_rows


@strawberry.type(description="The root fields that return flat rows.")
class RowQuery:
    """The root fields for BI tools. `Query` inherits them."""

    experiment_rows: list[ExperimentRow] = batched_field(
        _resolve_experiment_rows, reads=_READS, description="Active experiments as flat rows, newest first."
    )
    run_rows: list[RunRow] = batched_field(
        _resolve_run_rows,
        reads=_READS,
        description="Active runs as flat rows, the most recently started first.",
    )
    param_rows: list[ParamRow] = batched_field(
        _logged_rows_resolver(partial(key_value_rows, kind="params")),
        reads=_READS,
        description="Params of active runs as flat rows, in the order of runRows, then by key.",
    )
    tag_rows: list[TagRow] = batched_field(
        _logged_rows_resolver(partial(key_value_rows, kind="tags")),
        reads=_READS,
        description="Tags of active runs as flat rows, in the order of runRows, then by key.",
    )
    metric_rows: list[MetricRow] = batched_field(
        _logged_rows_resolver(partial(key_value_rows, kind="metrics")),
        reads=_READS,
        description="Last values of metrics as flat rows, in the order of runRows, then by key.",
    )
    metric_point_rows: list[MetricPointRow] = batched_field(
        _logged_rows_resolver(point_rows, skips=True),
        reads=_READS,
        description=(
            "Points of metrics as flat rows, in the order of runRows, then by key, step and timestamp."
        ),
    )


async def _read_page(
    context: FieldContext,
    first: int | None,
    offset: int | None,
    read: Callable[[ScanOptions], Chunks],
    *,
    skips: bool = False,
) -> Many:
    """Return one page of rows. `skips` is whether `read` itself leaves out the rows before the offset."""
    size = DEFAULT_ROWS if first is None else first
    skip = offset or 0
    rows = await read_window(read(_scan_options(context, size, skip)), 0 if skips else skip, size)
    if "step" not in rows.columns:
        return Many.for_single_parent(rows)
    texts = [
        _TEXTS[name] if value is None else repr(value)
        for value, name in zip(rows["value"], rows["non_finite"], strict=True)
    ]
    steps = list(map(float, rows["step"]))
    return Many.for_single_parent(Table(rows.size, {**rows.columns, "value_text": texts, "step": steps}))


def _scan_options(context: FieldContext, first: int, offset: int) -> ScanOptions:
    limits = context.operation.limits
    if not 0 <= first <= limits.max_rows:
        message = f"first must be from 0 to {limits.max_rows} (GQL_MAX_ROWS), not {first}."
        raise BadUserInput(message)
    if offset < 0:
        message = f"offset must not be negative, but is {offset}."
        raise BadUserInput(message)
    return ScanOptions(
        max_conditions=limits.max_conditions,
        runs_per_chunk=max(1, min(RUNS_PER_CHUNK, first + offset)),
        points_per_chunk=min(POINTS_PER_CHUNK, max(first, DEFAULT_ROWS)),
        max_runs=limits.max_scanned_runs,
        skip=offset,
    )
