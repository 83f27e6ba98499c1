"""The faults of asking for more than this server reads at once."""

from schema.ports.errors import LimitExceeded


def too_many_groups(most: int) -> LimitExceeded:
    """Return the fault of asking for more groups, summaries of groups or keys than the bound."""
    return LimitExceeded(
        f"There are more than {most:,} groups, metrics of groups or keys (GQL_MAX_GROUPS); group by less, "
        "name the metrics, or ask for fewer experiments."
    )


def too_many_points(most: int) -> LimitExceeded:
    """Return the fault of asking for more points of histories than the bound."""
    return LimitExceeded(
        f"These histories have more points than the {most:,} that this server returns at once "
        "(GQL_MAX_POINTS); ask for fewer runs or metrics, for fewer steps by fromStep and toStep, or for "
        "fewer points of each by maxPoints."
    )


def too_many_to_sample(most: int) -> LimitExceeded:
    """Return the fault of asking for a sample of more points than the bound."""
    return LimitExceeded(
        f"These histories have more points than the {most:,} that this server goes through at once to sample "
        "them (GQL_MAX_SAMPLED_POINTS); ask for fewer runs or metrics, or for fewer steps by fromStep and "
        "toStep."
    )
