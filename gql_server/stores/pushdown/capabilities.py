"""What each family of store can run itself of a search with the meaning that it has everywhere.

What is not named here is finished by this server: an order in which a store compares text by a collation of
its own, say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schema.ports.store_kind import StoreKind


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The parts of a search that a store takes; the names of attributes are the port's."""

    orders: frozenset[str] = frozenset()
    """The attributes of runs and experiments that it orders by as this server does."""
    orders_metrics: bool = False
    attributes: frozenset[str] = frozenset()
    """The attributes of runs that it compares."""
    like: bool = False
    null_tests: bool = False
    """Whether it can ask which params and tags are not there."""
    unequal_tags: bool = True
    quoted_metrics: bool = True
    """Whether it finds metrics whose names have to be quoted."""
    quoted_numbers: bool = False
    """Whether it wants times in quotes."""
    whole_times: bool = False
    """Whether it fails over times in a filter string that are not whole numbers."""
    statuses: Mapping[str, str] = field(default_factory=dict)
    """How it spells a status where it does not do so as MLflow."""
    reads_filters: bool = False
    """Whether MLflow's filter strings are read here, since it does not take all of their language."""
    largest_page: int = 50_000
    """How many rows it returns at once; MLflow's own limit where it has none of its own."""
    most_points: int = 25_000
    """How many points of a history it returns at once; MLflow's own limit, too."""


_TIMES = frozenset({"started_at", "ended_at", "created_at", "updated_at"})
_OF_MLFLOW = frozenset({"run_id", "name", "user_id", "status", "started_at", "ended_at"})
_KNOWN: Mapping[StoreKind, Capabilities] = {
    StoreKind.MLFLOW_SERVER: Capabilities(
        orders=_TIMES | {"run_id", "status"},
        orders_metrics=True,
        attributes=_OF_MLFLOW,
        like=True,
        null_tests=True,
    ),
    # Its LIKE does not see beyond a line break.
    StoreKind.FILE: Capabilities(
        orders=_TIMES | {"run_id", "status"}, attributes=_OF_MLFLOW, null_tests=True, whole_times=True
    ),
}
_LEAST = Capabilities()


def capabilities_of(kind: StoreKind) -> Capabilities:
    """Return what a family of store can do; of an unknown one, the least that MLflow documents."""
    return _KNOWN.get(kind, _LEAST)
