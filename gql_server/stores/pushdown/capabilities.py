"""The parts of a search that each kind of store can run with the result that this server would compute.

This server runs the rest, for example an order for which a store compares text by its own collation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schema.ports.store_kind import StoreKind


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The parts of a search that are pushed down to a store; attributes have the port's names."""

    orders: frozenset[str] = frozenset()
    """Attributes of runs and experiments by which the store's order equals this server's."""
    orders_metrics: bool = False
    attributes: frozenset[str] = frozenset()
    """Attributes of runs that the store can compare."""
    like: bool = False
    null_tests: bool = False
    """Whether the store can test for absent params and tags."""
    unequal_tags: bool = True
    quoted_metric_keys: bool = True
    """Whether the store finds metrics whose keys must be quoted."""
    quoted_times: bool = False
    """Whether the store requires quotes around times."""
    status_names: Mapping[str, str] = field(default_factory=dict)
    """The store's spelling of a status, where it differs from MLflow's."""
    parses_filters_here: bool = False
    """Whether this server parses filter strings, because the store supports only some of the syntax."""
    max_page_size: int = 50_000
    """The maximum number of rows per page; the default is MLflow's own limit."""
    max_points_per_page: int = 25_000
    """The maximum number of points of a history per page; the default is MLflow's own limit."""


_TIMES = frozenset({"started_at", "ended_at", "created_at", "updated_at"})
_RUN_ATTRIBUTES = frozenset({"run_id", "name", "user_id", "status", "started_at", "ended_at"})
_CAPABILITIES: Mapping[StoreKind, Capabilities] = {
    StoreKind.MLFLOW_SERVER: Capabilities(
        orders=_TIMES | {"run_id", "status"},
        orders_metrics=True,
        attributes=_RUN_ATTRIBUTES,
        like=True,
        null_tests=True,
    ),
    # No `like`: the file store's LIKE does not match across a line break.
    StoreKind.FILE: Capabilities(
        orders=_TIMES | {"run_id", "status"},
        attributes=_RUN_ATTRIBUTES,
        null_tests=True,
    ),
}
_MINIMUM = Capabilities()


def capabilities_of(kind: StoreKind) -> Capabilities:
    """Return the capabilities of a kind of store; for an unknown kind, the minimum that MLflow documents."""
    return _CAPABILITIES.get(kind, _MINIMUM)
