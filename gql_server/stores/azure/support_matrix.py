"""What the service supports: its own table, row by row, and what this server asks of it by that.

The rows are those of Microsoft's article on querying runs with MLflow, in its edition of 2024 and in the one
of 2022, which supports less. Which of them a workspace keeps to nobody says. What stands in the article's
text and not in its table is in `_BESIDE`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gql_server.config.azure import Edition
from gql_server.stores.pushdown.capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One feature, and the editions of the table that say yes to it. `here` is what this server does."""

    feature: str
    editions: Collection[Edition]
    here: str


_BOTH: Collection[Edition] = ("2024", "2022")
_NEWER: Collection[Edition] = frozenset[Edition](["2024"])
_NEITHER: Collection[Edition] = ()
_PUSHED = "asked of the workspace"
_SORTED = "sorted here"
_TESTED = "tested here"

MATRIX: Mapping[str, MatrixRow] = {
    "order_times": MatrixRow("Order by run fields (start_time, end_time)", _BOTH, _PUSHED),
    "order_attributes": MatrixRow("Order by attributes", _NEWER, f"times {_PUSHED}, others {_SORTED}"),
    "order_metrics": MatrixRow("Order by metrics", _NEITHER, _SORTED),
    "order_params": MatrixRow("Order by parameters", _NEITHER, _SORTED),
    "order_tags": MatrixRow("Order by tags", _NEITHER, _SORTED),
    "filter_times": MatrixRow("Filter by run fields (start_time, end_time)", _NEWER, _PUSHED),
    "filter_attributes": MatrixRow("Filter by attributes", _NEWER, _PUSHED),
    "filter_metrics": MatrixRow("Filter by metrics", _BOTH, _PUSHED),
    "quoted_metrics": MatrixRow("Filter by metrics with special characters (escaped)", _NEITHER, _TESTED),
    "filter_params": MatrixRow("Filter by parameters", _BOTH, _PUSHED),
    "filter_tags": MatrixRow("Filter by tags", _BOTH, _PUSHED),
    "number_comparators": MatrixRow("Numeric comparators on metrics (=, !=, >, >=, <, <=)", _BOTH, _PUSHED),
    "text_comparators": MatrixRow("String comparators on params, tags, attributes (=, !=)", _BOTH, _PUSHED),
    "unequal_tags": MatrixRow("String comparator != on tags", _NEITHER, _TESTED),
    "like": MatrixRow("String comparators on params, tags, attributes (LIKE, ILIKE)", _NEWER, _PUSHED),
    "and": MatrixRow("AND", _BOTH, _PUSHED),
    "or": MatrixRow("OR", _NEITHER, f"{_TESTED} (by `where`)"),
    "rename": MatrixRow("Renaming experiments", _NEITHER, "`UNSUPPORTED_BY_STORE`"),
}
"""The rows that the newer edition has no more are what its row on attributes includes."""

_BESIDE = {"null_tests": False, "quoted_numbers": True}
"""No IS NULL, since params take = != and LIKE alone; values of attributes are quoted, times too."""
LARGEST_PAGE = 1000
"""Rows of a search; nobody has written of more."""
MOST_POINTS = 999
"""Points of a history in one answer: "MaxResults must be less than 1000" (mlflow/mlflow#10694)."""

_TIMES = frozenset({"started_at", "ended_at"})
_ATTRIBUTES = frozenset({"run_id", "name", "user_id", "status"}) | _TIMES
_STATUSES = {name.upper(): name for name in ("Running", "Scheduled", "Finished", "Failed", "Killed")}


def azure_capabilities(edition: Edition) -> Capabilities:
    """Return what a workspace is asked to do itself by an edition of the table."""

    def has(name: str) -> bool:
        return edition in MATRIX[name].editions

    return Capabilities(
        # Only with the run's id behind it, an attribute too, is an order by time the same everywhere.
        orders=_TIMES if has("order_times") and has("order_attributes") else frozenset(),
        orders_metrics=has("order_metrics"),
        attributes=_ATTRIBUTES if has("filter_attributes") else frozenset(),
        like=has("like"),
        unequal_tags=has("unequal_tags"),
        quoted_metrics=has("quoted_metrics"),
        statuses=_STATUSES,
        reads_filters=True,
        max_page_size=LARGEST_PAGE,
        max_points_per_page=MOST_POINTS,
        **_BESIDE,
    )
