"""MLflow's filter strings as conditions on runs and experiments.

A filter compares as MLflow's own store does, by the stored values: a name of a run is its tag, and an empty
text or a time of 0 is a value. A missing value matches nothing except IS NULL. A condition of the port
(`gql_server.stores.sql.conditions`) has one meaning in all databases instead.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, Table, exists, not_, select

from gql_server.stores.filters.comparison import FilterComparison
from gql_server.stores.filters.experiment_filters import EXPERIMENT_FILTERS
from gql_server.stores.filters.run_filters import RUN_FILTERS
from gql_server.stores.mlflow_names import RUN_NAME_TAG
from gql_server.stores.sql.comparisons import compare_id, compare_metric
from gql_server.stores.sql.dialects.dialect import Dialect
from gql_server.stores.sql.filter_comparison import compare, parse_filter
from gql_server.stores.sql.models.dataset_filter import runs_with_dataset
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.tables import EXPERIMENT_TAGS, EXPERIMENTS, LATEST_METRICS, PARAMS, RUNS, TAGS

_RUN_ATTRIBUTES: Final = {
    "run_id": RUNS.c.run_uuid,
    "user_id": RUNS.c.user_id,
    "status": RUNS.c.status,
    "start_time": RUNS.c.start_time,
    "end_time": RUNS.c.end_time,
    "artifact_uri": RUNS.c.artifact_uri,
}
_RUN_TABLES: Final = {"param": PARAMS, "tag": TAGS, "metric": LATEST_METRICS}


def run_filter(session: Session, filter_: str | None) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter of runs; raise `BadUserInput` if it is invalid."""
    return [_run_condition(session, comparison) for comparison in parse_filter(RUN_FILTERS, filter_)]


def experiment_filter(session: Session, filter_: str | None) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter of experiments; raise `BadUserInput` if it is invalid."""
    comparisons = parse_filter(EXPERIMENT_FILTERS, filter_)
    return [_experiment_condition(session.dialect, comparison) for comparison in comparisons]


def _run_condition(session: Session, comparison: FilterComparison) -> ColumnElement[bool]:
    if comparison.by == "dataset":
        return runs_with_dataset(session, comparison)
    id_ = RUNS.c.run_uuid
    if comparison.by != "attribute":
        return _has_logged(session.dialect, id_, _RUN_TABLES[comparison.by], comparison.key, comparison)
    if comparison.key == "run_name":
        return _has_logged(session.dialect, id_, TAGS, RUN_NAME_TAG, comparison)
    return compare(session.dialect, _RUN_ATTRIBUTES[comparison.key], comparison)


def _experiment_condition(dialect: Dialect, comparison: FilterComparison) -> ColumnElement[bool]:
    id_ = EXPERIMENTS.c.experiment_id
    if comparison.by == "tag":
        return _has_logged(dialect, id_, EXPERIMENT_TAGS, comparison.key, comparison)
    if comparison.key == "experiment_id":
        return compare_id(id_, comparison.operator, comparison.value)
    return compare(dialect, EXPERIMENTS.c[comparison.key], comparison)


def _has_logged(
    dialect: Dialect, owner: ColumnElement[Any], table: Table, key: str, comparison: FilterComparison
) -> ColumnElement[bool]:
    """Return the condition that a run or an experiment has a param, tag or metric that matches."""
    rows = table.alias()
    owners = rows.c[str(owner.key)]
    if comparison.operator == "is_null":
        # MLflow compares the key by the column's collation here.
        has_key = exists().where(owners == owner, rows.c.key == key)
        return not_(has_key) if comparison.value else has_key
    if comparison.by == "metric":
        matches = compare_metric(rows, comparison.operator, comparison.value)
    else:
        matches = compare(dialect, rows.c.value, comparison)
    return owner.in_(select(owners).where(dialect.same_text(rows.c.key, key), matches))
