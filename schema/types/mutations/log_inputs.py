"""The inputs for logged data: metrics, params and tags."""

import math
from collections.abc import Iterable, Iterator

import strawberry

from schema.ports.errors import BadUserInput
from schema.ports.milliseconds import current_time
from schema.ports.non_finite import FLOATS
from schema.ports.tracking_writes import KeyValue, Point
from schema.types.arguments import given
from schema.types.metric import NonFinite
from schema.types.scalars import BigInt, DateTime


@strawberry.input(description="A tag to set.")
class TagInput:
    """MLflow's RunTag and ExperimentTag."""

    key: str = strawberry.field(description="The key of the tag.")
    value: str = strawberry.field(description="The value as text. It replaces the current value.")


@strawberry.input(description="A param to log. Its value cannot be changed afterwards.")
class ParamInput:
    """MLflow's Param."""

    key: str = strawberry.field(description="The key of the param.")
    value: str = strawberry.field(description="The value as text.")


@strawberry.input(description="A point of a metric to log. Exactly one of value and nonFinite is required.")
class MetricInput:
    """MLflow's Metric."""

    key: str = strawberry.field(description="The key of the metric.")
    value: float | None = strawberry.field(
        default=strawberry.UNSET, description="The value, if it is finite."
    )
    non_finite: NonFinite | None = strawberry.field(
        default=strawberry.UNSET, description="The value, if not finite."
    )
    step: BigInt = strawberry.field(default=0, description="The step of the value; may be negative.")
    timestamp: DateTime | None = strawberry.field(
        default=strawberry.UNSET, description="The time of the value. Default: the server's current time."
    )


def key_values(entries: Iterable[TagInput | ParamInput] | None) -> list[KeyValue]:
    """Return params or tags as the port takes them; an empty list for null or an omitted argument."""
    return [KeyValue(entry.key, entry.value) for entry in given(entries) or ()]


def points(entries: Iterable[MetricInput] | None) -> list[Point]:
    """Return metrics as the port takes them. All entries without a timestamp have the same time.

    Raise `BadUserInput` for an entry with both or neither of `value` and `nonFinite`, and for an infinity.
    """
    return list(_points(given(entries) or ()))


def _points(entries: Iterable[MetricInput]) -> Iterator[Point]:
    default_timestamp = current_time()
    for index, entry in enumerate(entries):
        value, non_finite = given(entry.value), given(entry.non_finite)
        if (value is None) is (non_finite is None):
            message = f"metrics[{index}] takes exactly one of value and nonFinite."
            raise BadUserInput(message)
        if value is not None and not math.isfinite(value):
            # A literal such as 1e400 is parsed as an infinity.
            message = f"metrics[{index}].value is too large. Use nonFinite for infinities."
            raise BadUserInput(message)
        number = FLOATS[non_finite.name] if non_finite is not None else float(value or 0)
        timestamp = given(entry.timestamp)
        yield Point(entry.key, number, default_timestamp if timestamp is None else timestamp, entry.step)
