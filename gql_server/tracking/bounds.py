"""The faults of asking for more than this server reads at once."""

from schema.errors import LimitExceeded


def too_many_points(most: int) -> LimitExceeded:
    """Return the fault of asking for more points of histories than the bound."""
    return LimitExceeded(
        f"These histories have more points than the {most:,} that this server reads at once "
        "(GQL_MAX_POINTS); ask for fewer runs or metrics, or for fewer steps by fromStep and toStep."
    )
