"""The root type of subscriptions."""

import strawberry

from schema.engine.batched_field import batched_field
from schema.types.live_fields import LiveFields
from schema.types.metric_points import MetricPointBatch, resolve_metric_points


@strawberry.type(
    description=(
        "The root type of subscriptions. `metricPoints` sends each point once. Each other field is that "
        "of `Query`: the first event is its answer, and another event follows whenever the answer differs. "
        "Equal subscriptions read the store once."
    )
)
class Subscription(LiveFields):
    """Live queries, and the stream of points. Each event is one execution of the operation."""

    metric_points: MetricPointBatch = batched_field(
        resolve_metric_points,
        description=(
            "The points of metrics as they are logged. The first events have the points that are there, or a "
            "sample of them, and the others have new points, each point once. Points with the same step, "
            "timestamp and value are one. The stream ends when all runs have ended."
        ),
    )
