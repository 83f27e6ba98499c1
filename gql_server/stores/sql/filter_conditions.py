"""MLflow's filter strings as conditions on runs and experiments.

A filter compares as a condition of the port does (`gql_server.stores.sql.conditions`), so that it means the
same on every database and on every other store.
"""

from sqlalchemy import ColumnElement

from gql_server.stores.filters.experiment_filters import EXPERIMENT_FILTERS
from gql_server.stores.filters.run_filters import RUN_FILTERS
from gql_server.stores.sql.conditions import experiment_condition, run_condition
from gql_server.stores.sql.filter_comparison import parse_filter
from gql_server.stores.sql.session import Session


def run_filter(session: Session, filter_: str | None) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter of runs; raise `BadUserInput` if it is invalid."""
    comparisons = parse_filter(RUN_FILTERS, filter_)
    return [run_condition(session, comparison.predicate) for comparison in comparisons]


def experiment_filter(session: Session, filter_: str | None) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter of experiments; raise `BadUserInput` if it is invalid."""
    comparisons = parse_filter(EXPERIMENT_FILTERS, filter_)
    return [experiment_condition(session, comparison.predicate) for comparison in comparisons]
