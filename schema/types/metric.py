"""Metrics: the last value of each, and its history on demand."""

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

_FEWEST: Final = 2
"""The first point and the last."""


@strawberry.enum(description="What a metric's value is where it is no finite number.")
class NonFinite(Enum):
    """The values that JSON and GraphQL's Float have no way to write."""

    NAN = strawberry.enum_value("NAN", description="Not a number.")
    POSITIVE_INFINITY = strawberry.enum_value("POSITIVE_INFINITY", description="Above every number.")
    NEGATIVE_INFINITY = strawberry.enum_value("NEGATIVE_INFINITY", description="Below every number.")


@strawberry.enum(description="Which points of a history stand for all, where maxPoints asks for fewer.")
class Sampling(Enum):
    """The ways of `schema.ports.tracking.Sample`."""

    LTTB = strawberry.enum_value(
        "LTTB", description="Largest triangle three buckets: the points that keep the look of the curve."
    )
    MIN_MAX = strawberry.enum_value(
        "MIN_MAX",
        description="The lowest and the highest point of each stretch, so that no spike is lost.",
    )
    EVERY_NTH = strawberry.enum_value(
        "EVERY_NTH", description="Points at even distances, whatever their values."
    )


_BY: Final[dict[Sampling, Literal["lttb", "min_max", "every_nth"]]] = {
    Sampling.LTTB: "lttb",
    Sampling.MIN_MAX: "min_max",
    Sampling.EVERY_NTH: "every_nth",
}

_MaxPoints = Annotated[
    int | None,
    strawberry.argument(
        description=(
            "Return at most so many points, 2 at least: the first, the last and those that sampling chooses, "
            "with gaps where values are not finite. All points when left out, or where there are no more."
        )
    ),
]
_Sampling = Annotated[
    Sampling, strawberry.argument(description="How points are chosen where there are more than maxPoints.")
]


@strawberry.type(description="One logged value of a metric.")
class MetricPoint:
    """MLflow's Metric, as it stands in a history."""

    step: BigInt = strawberry.field(description="The step that it was logged at; may be negative.")
    timestamp: DateTime = strawberry.field(description="When it was logged, by the client's clock.")
    value: float | None = strawberry.field(description="The value; null when it is not finite.")
    non_finite: NonFinite | None = strawberry.field(
        description="What the value is when it is not finite; null otherwise."
    )


@strawberry.type(description="The points of a history as columns: arrays of equal length.")
class MetricSeries:
    """Three arrays instead of an object a point: a fifth of the bytes, and what charts take."""

    steps: list[BigInt] = strawberry.field(description="The steps, ascending.")
    timestamps: list[DateTime] = strawberry.field(description="When each point was logged.")
    values: list[float | None] = strawberry.field(description="The values; null where one is not finite.")


def _sample(most: int | None, sampling: Sampling) -> Sample | None:
    if most is None:
        return None
    if most < _FEWEST:
        message = f"maxPoints must be at least {_FEWEST}, for the first point and the last, not {most}."
        raise BadUserInput(message)
    return Sample(most, _BY[sampling])


def _points(
    metrics: Table,
    context: FieldContext,
    from_step: BigInt | None,
    to_step: BigInt | None,
    sample: Sample | None,
) -> "Awaitable[Many]":
    series = list(zip(metrics["run_id"], metrics["key"], strict=True))
    return context.tracking.histories(series, given(from_step), given(to_step), sample)


async def _history(
    metrics: Table,
    context: FieldContext,
    max_points: _MaxPoints = strawberry.UNSET,
    sampling: _Sampling = Sampling.LTTB,
    from_step: FromStep = strawberry.UNSET,
    to_step: ToStep = strawberry.UNSET,
) -> Many:
    return await _points(metrics, context, from_step, to_step, _sample(given(max_points), sampling))


async def _series(
    metrics: Table,
    context: FieldContext,
    max_points: _MaxPoints = strawberry.UNSET,
    sampling: _Sampling = Sampling.LTTB,
    from_step: FromStep = strawberry.UNSET,
    to_step: ToStep = strawberry.UNSET,
) -> One:
    points = await _points(metrics, context, from_step, to_step, _sample(given(max_points), sampling))
    columns = {
        "steps": Lists(points.rows["step"], points.spans),
        "timestamps": Lists(points.rows["timestamp"], points.spans),
        "values": Lists(points.rows["value"], points.spans),
    }
    return One(Table(metrics.size, columns), range(metrics.size))


def _dataset_name(metrics: Table, _context: FieldContext) -> Column:
    return _where_there(metrics, "dataset_name")


def _dataset_digest(metrics: Table, _context: FieldContext) -> Column:
    return _where_there(metrics, "dataset_digest")


def _where_there(metrics: Table, column: str) -> Column:
    # The metrics of runs do not have it.
    return metrics.columns.get(column, [None] * metrics.size)


@strawberry.type(description="A metric of one run: its last logged value, and its history on demand.")
class Metric:
    """MLflow's Metric; the last one is that of the highest step, then of the latest time."""

    key: str = strawberry.field(description="The name that it was logged under.")
    value: float | None = strawberry.field(description="The last value; null when it is not finite.")
    non_finite: NonFinite | None = strawberry.field(
        description="What the last value is when it is not finite; null otherwise."
    )
    step: BigInt = strawberry.field(description="The step of the last value; may be negative.")
    timestamp: DateTime = strawberry.field(description="When the last value was logged.")
    history: list[MetricPoint] = batched_field(
        _history,
        description="All points, or a sample of them, ordered by step, then timestamp.",
        requires=("run_id", "key"),
    )
    series: MetricSeries = batched_field(
        _series,
        description="The points of history as columns, which is smaller and what charts take.",
        requires=("run_id", "key"),
    )
    dataset_name: str | None = batched_field(
        _dataset_name,
        description="The dataset that a logged model was measured on; null where none was named.",
    )
    dataset_digest: str | None = batched_field(
        _dataset_digest,
        description="The fingerprint of that dataset; null where none was named.",
    )
