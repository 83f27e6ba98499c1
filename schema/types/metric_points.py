"""The stream of the points of metrics."""

from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.errors import BadUserInput
from schema.ports.point_batch import PointSelection
from schema.ports.table import One, Table
from schema.types.arguments import Keys, given
from schema.types.metric import MetricPoint, Sampling, sample_of

_RunIds = Annotated[
    list[strawberry.ID],
    strawberry.argument(
        description=(
            "The MLflow ids of active or deleted runs, up to the server's limit (GQL_MAX_STREAM_RUNS). An id "
            "that does not exist is a NOT_FOUND error."
        )
    ),
]
_After = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "A cursor of this stream, requested with the same runs and keys. The stream goes on behind it, "
            "with all points that were logged since; maxPoints has no effect. Default: begin with the points "
            "that are there."
        )
    ),
]
_MaxPoints = Annotated[
    int | None,
    strawberry.argument(
        description=(
            "Maximum number of points of each series to send at first, at least 2, as in `history`. Points "
            "that are logged later are all sent. Default: all points."
        )
    ),
]
_Sampling = Annotated[
    Sampling,
    strawberry.argument(description="How to select the first points if there are more than maxPoints."),
]


@strawberry.type(description="New points of one metric of a run.")
class MetricPointSeries:
    """A part of a history."""

    run_id: strawberry.ID = strawberry.field(description="The MLflow id of the run.")
    key: str = strawberry.field(description="The name of the metric.")
    points: list[MetricPoint] = strawberry.field(
        description=(
            "The points. Those of one event are sorted by timestamp, step and value, or by step if they are "
            "a sample. A later event can have points with earlier steps and timestamps."
        )
    )


@strawberry.type(description="New points of a stream, and the position after them.")
class MetricPointBatch:
    """One event of `Subscription.metricPoints`."""

    cursor: str = strawberry.field(
        description=(
            "The position after this event. With it as `after`, on any server over the same store, the "
            "stream goes on without a gap or a repetition."
        )
    )
    series: list[MetricPointSeries] = strawberry.field(
        description="The series that have new points, each once."
    )
    complete: bool = strawberry.field(
        description="Whether all runs have ended and all of their points were sent. This is the last event."
    )


def resolve_metric_points(
    _root: Table,
    context: FieldContext,
    run_ids: _RunIds,
    keys: Keys = strawberry.UNSET,
    after: _After = strawberry.UNSET,
    max_points: _MaxPoints = strawberry.UNSET,
    sampling: _Sampling = Sampling.LTTB,
) -> One:
    """Return the batch of the event that the operation is executed for."""
    source = context.operation.point_batches
    if source is None:
        message = "metricPoints is available over WebSocket and server-sent events only."
        raise BadUserInput(message)
    selection = PointSelection(run_ids, given(keys), given(after), sample_of(given(max_points), sampling))
    return source.batch(selection)
