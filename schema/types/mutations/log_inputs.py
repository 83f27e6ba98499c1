"""What is logged, as clients write it: metrics, params and tags."""

import math
import time
from collections.abc import Iterable, Iterator
from typing import Final

import strawberry

from schema.ports.errors import BadUserInput
from schema.ports.tracking_writes import KeyValue, Point
from schema.types.arguments import given
from schema.types.metric import NonFinite
from schema.types.scalars import BigInt, DateTime

_VALUES: Final = {
    NonFinite.NAN: math.nan,
    NonFinite.POSITIVE_INFINITY: math.inf,
    NonFinite.NEGATIVE_INFINITY: -math.inf,
}


@strawberry.input(description="A tag to set: text under a key.")
class TagInput:
    """MLflow's RunTag and ExperimentTag."""

    key: str = strawberry.field(description="The tag's name.")
    value: str = strawberry.field(description="The value, which takes the place of the one before.")


@strawberry.input(description="A param to log: text under a key, which cannot be changed afterwards.")
class ParamInput:
    """MLflow's Param."""

    key: str = strawberry.field(description="The name to log it under.")
    value: str = strawberry.field(description="The value, as text.")


@strawberry.input(description="A value of a metric to log: exactly one of value and nonFinite.")
class MetricInput:
    """MLflow's Metric."""

    key: str = strawberry.field(description="The name to log it under.")
    value: float | None = strawberry.field(default=strawberry.UNSET, description="The value, if finite.")
    non_finite: NonFinite | None = strawberry.field(
        default=strawberry.UNSET, description="The value, if not finite."
    )
    step: BigInt = strawberry.field(default=0, description="The step that it belongs to.")
    timestamp: DateTime | None = strawberry.field(
        default=strawberry.UNSET, description="When it was measured; now when left out."
    )


def now() -> int:
    """Return the time now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def pairs(entries: Iterable[TagInput | ParamInput] | None) -> list[KeyValue]:
    """Return params or tags as the port has them; none where there are none."""
    return [KeyValue(entry.key, entry.value) for entry in given(entries) or ()]


def points(entries: Iterable[MetricInput] | None) -> list[Point]:
    """Return metrics as the port has them; those without a time are all of one moment."""
    return list(_points(given(entries) or ()))


def _points(entries: Iterable[MetricInput]) -> Iterator[Point]:
    moment = now()
    for place, entry in enumerate(entries):
        value, non_finite = given(entry.value), given(entry.non_finite)
        if (value is None) is (non_finite is None):
            message = f"metrics[{place}] takes exactly one of value and nonFinite."
            raise BadUserInput(message)
        if value is not None and not math.isfinite(value):
            # A literal such as 1e400, which is read as an infinity.
            message = f"metrics[{place}].value is too large; nonFinite takes infinities."
            raise BadUserInput(message)
        number = _VALUES[non_finite] if non_finite is not None else value
        timestamp = given(entry.timestamp)
        yield Point(entry.key, float(number or 0), moment if timestamp is None else timestamp, entry.step)
