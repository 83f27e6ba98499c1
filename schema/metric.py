"""Metrics: the last value of each, and its history on demand."""

from enum import Enum
from typing import TYPE_CHECKING

import strawberry

from schema.across import Ask, across
from schema.arguments import FromStep, ToStep, given
from schema.scalars import BigInt, DateTime
from schema.table import Lists, Many, One, Table

if TYPE_CHECKING:
    from collections.abc import Awaitable


@strawberry.enum(description="What a metric's value is where it is no finite number.")
class NonFinite(Enum):
    """The values that JSON and GraphQL's Float have no way to write."""

    NAN = strawberry.enum_value("NAN", description="Not a number.")
    POSITIVE_INFINITY = strawberry.enum_value("POSITIVE_INFINITY", description="Above every number.")
    NEGATIVE_INFINITY = strawberry.enum_value("NEGATIVE_INFINITY", description="Below every number.")


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


def _points(metrics: Table, ask: Ask, from_step: BigInt | None, to_step: BigInt | None) -> "Awaitable[Many]":
    series = list(zip(metrics["run_id"], metrics["key"], strict=True))
    return ask.tracking.histories(series, given(from_step), given(to_step))


async def _history(
    metrics: Table, ask: Ask, from_step: FromStep = strawberry.UNSET, to_step: ToStep = strawberry.UNSET
) -> Many:
    return await _points(metrics, ask, from_step, to_step)


async def _series(
    metrics: Table, ask: Ask, from_step: FromStep = strawberry.UNSET, to_step: ToStep = strawberry.UNSET
) -> One:
    points = await _points(metrics, ask, from_step, to_step)
    columns = {
        "steps": Lists(points.rows["step"], points.spans),
        "timestamps": Lists(points.rows["timestamp"], points.spans),
        "values": Lists(points.rows["value"], points.spans),
    }
    return One(Table(metrics.size, columns), range(metrics.size))


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
    history: list[MetricPoint] = across(
        _history, description="All points, ordered by step, then timestamp.", needs=("run_id", "key")
    )
    series: MetricSeries = across(
        _series,
        description="The points of history as columns, which is smaller and what charts take.",
        needs=("run_id", "key"),
    )
