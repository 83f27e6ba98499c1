"""Settings of subscriptions."""

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt


class LiveSettings(BaseModel):
    """How often the store is read for subscriptions, and how many subscriptions there may be."""

    live_interval: PositiveFloat = Field(
        default=1.0, description="Seconds between two reads of the store for subscriptions."
    )
    # A database answers some thousand small statements a second; most of them are for queries.
    max_live_calls: PositiveFloat = Field(
        default=100.0,
        description="Maximum calls to the store a second for all subscriptions of one process. With more "
        "subscriptions the interval is longer, and `extensions.live.intervalSeconds` of each event has it.",
    )
    live_concurrency: PositiveInt = Field(
        default=4,
        description="Maximum concurrent executions for subscriptions, which leave the rest of "
        "`GQL_MAX_OPERATIONS` to other operations.",
    )
    # The latest answer to each subscription is in memory.
    max_live_bytes: PositiveInt = Field(
        default=200_000_000,
        description="Maximum bytes of the latest answers to all subscriptions of one process.",
    )
    max_subscriptions: PositiveInt = Field(default=5_000, description="Maximum subscriptions of one process.")
    max_caller_subscriptions: PositiveInt = Field(
        default=2_000,
        description="Maximum subscriptions of one caller in one process. Without authentication all clients "
        "are one caller.",
    )
    max_cohorts: PositiveInt = Field(
        default=1_000,
        description="Maximum different subscriptions of one process. Equal ones of one caller count once.",
    )
    max_stream_runs: PositiveInt = Field(default=500, description="Maximum runs of one `metricPoints`.")
    # A cursor has 36 bytes for each series, 48 as text.
    max_stream_series: PositiveInt = Field(
        default=500,
        description="Maximum series (metrics of runs) of one `metricPoints`. Each has 48 bytes in the "
        "cursor.",
    )
    # The points that were read are in memory, so that each is recognized and sent once.
    max_stream_points: PositiveInt = Field(
        default=2_000_000,
        description="Maximum points of one `metricPoints` in the store. A point takes 40 bytes of memory "
        "while there is a subscriber.",
    )
    max_live_points: PositiveInt = Field(
        default=5_000_000,
        description="Maximum points of all different `metricPoints` of one process; with pass-through "
        "authentication, of those of one caller.",
    )
    # At about 70 bytes for each point, an event has at most 0.7 MB.
    stream_batch_points: PositiveInt = Field(
        default=10_000,
        description="Maximum points of one event of `metricPoints`, and maximum of its `maxPoints`. More "
        "points are sent in several events.",
    )
