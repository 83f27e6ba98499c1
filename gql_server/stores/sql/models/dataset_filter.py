"""Conditions on the datasets of runs."""

from sqlalchemy import ColumnElement, false, select

from gql_server.stores.mlflow_names import DATASET_CONTEXT_TAG
from gql_server.stores.sql.comparisons import compare_text
from gql_server.stores.sql.models.model_tables import DATASETS, INPUT_TAGS, INPUTS
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.tables import RUNS
from schema.ports.condition import Predicate
from schema.ports.store_info import StoreFeature


def runs_with_dataset(session: Session, predicate: Predicate) -> ColumnElement[bool]:
    """Return the condition that a run has a dataset whose name, digest or context matches.

    In a database without datasets it is false.
    """
    if not session.schema.has(StoreFeature.DATASETS):
        return false()
    tables = INPUTS.join(DATASETS, INPUTS.c.source_id == DATASETS.c.dataset_uuid)
    runs = select(INPUTS.c.destination_id)
    if predicate.key == "context":
        tables = tables.join(INPUT_TAGS, INPUT_TAGS.c.input_uuid == INPUTS.c.input_uuid)
        runs = runs.where(INPUT_TAGS.c.name == DATASET_CONTEXT_TAG)
        column = INPUT_TAGS.c.value
    else:
        column = DATASETS.c[predicate.key]
    matches = compare_text(session.dialect, column, predicate.operator, predicate.value)
    return RUNS.c.run_uuid.in_(runs.select_from(tables).where(matches))
