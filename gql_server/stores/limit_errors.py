"""The errors for requests of more than this server reads at once."""

from schema.ports.errors import LimitExceeded


def too_many_groups(limit: int) -> LimitExceeded:
    """Return the error for more groups, summaries of groups or keys than the limit."""
    return LimitExceeded(
        f"The result has more than {limit:,} groups, metric summaries or logged keys (GQL_MAX_GROUPS): "
        "group by fewer keys, name the metrics, or request fewer experiments."
    )


def too_many_points(limit: int) -> LimitExceeded:
    """Return the error for more points of histories than the limit."""
    return LimitExceeded(
        f"These histories have more points than the {limit:,} that this server returns at once "
        "(GQL_MAX_POINTS); request fewer runs or metrics, fewer steps with fromStep and toStep, or "
        "fewer points of each with maxPoints."
    )


def too_many_to_sample(limit: int) -> LimitExceeded:
    """Return the error for a sample of more points than the limit."""
    return LimitExceeded(
        f"These histories have more points than the {limit:,} that this server reads at once to sample them "
        "(GQL_MAX_SAMPLED_POINTS); request fewer runs or metrics, or fewer steps with fromStep and toStep."
    )


def response_too_large(limit: int) -> LimitExceeded:
    """Return the error for a response of an MLflow server that is larger than the limit."""
    return LimitExceeded(
        f"A response of the tracking store has more than the {limit:,} bytes that this server reads "
        "(GQL_MAX_UPSTREAM_BYTES); request fewer objects."
    )
