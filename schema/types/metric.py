"""Metrics: their last values and their histories."""

from enum import Enum
from typing import TYPE_CHECKING, Annotated, Final, Literal

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.errors import BadUserInput
from schema.ports.table import Column, Lists, Many, One, Table
from schema.ports.tracking import Sample
from schema.types.arguments import FromStep, ToStep, given
from schema.types.scalars import BigInt, DateTime

if TYPE_CHECKING:
    from collections.abc import Awaitable

_MIN_POINTS: Final = 2
"""The first and the last point."""


@strawberry.enum(description="The metric values that are not finite.")
class NonFinite(Enum):
    """The values that JSON and GraphQL's Float cannot represent."""

    NAN = strawberry.enum_value("NAN", description="Not a number.")
    POSITIVE_INFINITY = strawberry.enum_value("POSITIVE_INFINITY", description="Positive infinity.")
    NEGATIVE_INFINITY = strawberry.enum_value("NEGATIVE_INFINITY", description="Negative infinity.")


@strawberry.enum(description="The methods that select points if a history has more than maxPoints points.")
class Sampling(Enum):
    """The methods of `schema.ports.tracking.Sample`."""

    LTTB = strawberry.enum_value(
        "LTTB",
        description="Largest triangle three buckets: the points that best preserve the shape of the curve.",
    )
    MIN_MAX = strawberry.enum_value(
        "MIN_MAX",
        description="The lowest and the highest point of each section of the history. Spikes are preserved.",
    )
    EVERY_NTH = strawberry.enum_value(
        "EVERY_NTH", description="Points at even distances, regardless of their values."
    )


_METHODS: Final[dict[Sampling, Literal["lttb", "min_max", "every_nth"]]] = {
    Sampling.LTTB: "lttb",
    Sampling.MIN_MAX: "min_max",
    Sampling.EVERY_NTH: "every_nth",
}

_MaxPoints = Annotated[
    int | None,
    strawberry.argument(
        description=(
            "Maximum number of points to return, at least 2: the first, the last and those that sampling "
            "selects. Values that are not finite remain as gaps. Default: all points."
        )
    ),
]
_Sampling = Annotated[
    Sampling, strawberry.argument(description="How to select points if there are more than maxPoints.")
]


@strawberry.type(description="One logged value of a metric.")
class MetricPoint:
    """MLflow's Metric, as an entry of a history."""

    step: BigInt = strawberry.field(description="The step of the value; may be negative.")
    timestamp: DateTime = strawberry.field(description="The time of the value, by the client's clock.")
    value: float | None = strawberry.field(description="The value; null if it is not finite.")
    non_finite: NonFinite | None = strawberry.field(
        description="The value if it is not finite; null otherwise."
    )


@strawberry.type(description="The points of a history as arrays of equal length.")
class MetricSeries:
    """A fifth of the bytes of the same points as objects, and the input that chart libraries take."""

    steps: list[BigInt] = strawberry.field(description="The steps, in ascending order.")
    timestamps: list[DateTime] = strawberry.field(description="The time of each point.")
    values: list[float | None] = strawberry.field(
        description="The values; null for a value that is not finite."
    )


def sample_of(max_points: int | None, sampling: Sampling) -> Sample | None:
    """Return the sample of these arguments; raise `BadUserInput` for too few points."""
    if max_points is None:
        return None
    if max_points < _MIN_POINTS:
        message = f"maxPoints must be at least {_MIN_POINTS}, not {max_points}."
        raise BadUserInput(message)
    return Sample(max_points, _METHODS[sampling])


def _read_points(
    metrics: Table,
    context: FieldContext,
    from_step: BigInt | None,
    to_step: BigInt | None,
    sample: Sample | None,
) -> "Awaitable[Many]":
    series = list(zip(metrics["run_id"], metrics["key"], strict=True))
    return context.tracking.histories(series, given(from_step), given(to_step), sample)


async def _resolve_history(
    metrics: Table,
    context: FieldContext,
    max_points: _MaxPoints = strawberry.UNSET,
    sampling: _Sampling = Sampling.LTTB,
    from_step: FromStep = strawberry.UNSET,
    to_step: ToStep = strawberry.UNSET,
) -> Many:
    return await _read_points(metrics, context, from_step, to_step, sample_of(given(max_points), sampling))


async def _resolve_series(
    metrics: Table,
    context: FieldContext,
    max_points: _MaxPoints = strawberry.UNSET,
    sampling: _Sampling = Sampling.LTTB,
    from_step: FromStep = strawberry.UNSET,
    to_step: ToStep = strawberry.UNSET,
) -> One:
    points = await _read_points(metrics, context, from_step, to_step, sample_of(given(max_points), sampling))
    columns = {
        "steps": Lists(points.rows["step"], points.spans),
        "timestamps": Lists(points.rows["timestamp"], points.spans),
        "values": Lists(points.rows["value"], points.spans),
    }
    return One(Table(metrics.size, columns), range(metrics.size))


def _resolve_dataset_name(metrics: Table, _context: FieldContext) -> Column:
    return _optional_column(metrics, "dataset_name")


def _resolve_dataset_digest(metrics: Table, _context: FieldContext) -> Column:
    return _optional_column(metrics, "dataset_digest")


def _optional_column(metrics: Table, column: str) -> Column:
    # Only metrics of logged models have these columns.
    return metrics.columns.get(column, [None] * metrics.size)


@strawberry.type(description="A metric of a run or a logged model: its last value and its history.")
class Metric:
    """MLflow's Metric. The last value is the one with the highest step, then with the latest timestamp."""

    key: str = strawberry.field(description="The key of the metric.")
    value: float | None = strawberry.field(
        description=(
            "The last value: the one with the highest step, then with the latest timestamp. Null if it is "
            "not finite."
        )
    )
    non_finite: NonFinite | None = strawberry.field(
        description="The last value if it is not finite; null otherwise."
    )
    step: BigInt = strawberry.field(description="The step of the last value; may be negative.")
    timestamp: DateTime = strawberry.field(description="The time of the last value, by the client's clock.")
    history: list[MetricPoint] = batched_field(
        _resolve_history,
        description=(
            "The points of the metric, or a sample of them, sorted by step, then by timestamp. More points "
            "than the server's limit (GQL_MAX_POINTS) are a LIMIT_EXCEEDED error."
        ),
        requires=("run_id", "key"),
    )
    series: MetricSeries = batched_field(
        _resolve_series,
        description="The points of history as arrays: a smaller response that charts can use directly.",
        requires=("run_id", "key"),
    )
    dataset_name: str | None = batched_field(
        _resolve_dataset_name,
        description=(
            "The name of the dataset that a logged model was evaluated on; null if none was logged, and for "
            "metrics of runs."
        ),
    )
    dataset_digest: str | None = batched_field(
        _resolve_dataset_digest,
        description="The fingerprint of that dataset; null if datasetName is null.",
    )
