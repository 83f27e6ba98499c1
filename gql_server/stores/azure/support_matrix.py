"""The service's support matrix, and the capabilities that this server derives from it.

The rows are those of Microsoft's article on querying runs with MLflow, in its edition of 2024 and in that of
2022, which supports less. It is not documented which edition applies to a workspace. `_TEXT_RULES` has what
only the article's text states.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gql_server.config.azure import Edition
from gql_server.stores.pushdown.capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One feature, and the editions of the article that support it; `handling` is what this server does."""

    feature: str
    editions: Collection[Edition]
    handling: str


_BOTH: Collection[Edition] = ("2024", "2022")
_NEWER: Collection[Edition] = frozenset[Edition](["2024"])
_NEITHER: Collection[Edition] = ()
_PUSHED = "run by the workspace"
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
"""The newer edition's row on attributes includes the rows that only the older edition has."""

_TEXT_RULES = {"null_tests": False, "quoted_times": True}
"""No IS NULL: params support only =, != and LIKE. Values of attributes, times included, are quoted."""
MAX_PAGE_SIZE = 1000
"""Rows per page of a search; a higher limit is not documented."""
MAX_POINTS_PER_PAGE = 999
"""Points per page of a history: "MaxResults must be less than 1000" (mlflow/mlflow#10694)."""

_TIMES = frozenset({"started_at", "ended_at"})
_ATTRIBUTES = frozenset({"run_id", "name", "user_id", "status"}) | _TIMES
_STATUSES = {name.upper(): name for name in ("Running", "Scheduled", "Finished", "Failed", "Killed")}


def azure_capabilities(edition: Edition) -> Capabilities:
    """Return the capabilities of a workspace according to an edition of the article."""

    def supports(name: str) -> bool:
        return edition in MATRIX[name].editions

    return Capabilities(
        # An order by time is equal on all stores only with the run's id, an attribute, as its last key.
        orders=_TIMES if supports("order_times") and supports("order_attributes") else frozenset(),
        orders_metrics=supports("order_metrics"),
        attributes=_ATTRIBUTES if supports("filter_attributes") else frozenset(),
        like=supports("like"),
        unequal_tags=supports("unequal_tags"),
        quoted_metric_keys=supports("quoted_metrics"),
        status_names=_STATUSES,
        parses_filters_here=True,
        max_page_size=MAX_PAGE_SIZE,
        max_points_per_page=MAX_POINTS_PER_PAGE,
        **_TEXT_RULES,
    )
