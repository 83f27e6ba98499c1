"""The datasets that many runs read, in one statement."""

from collections.abc import Collection, Sequence

from sqlalchemy import and_, select

from gql_server.stores.mlflow_names import DATASET_CONTEXT_TAG
from gql_server.stores.sql.group_rows import grouped_rows
from gql_server.stores.sql.models.model_tables import DATASET_COLUMNS, DATASETS, INPUT_TAGS, INPUTS
from gql_server.stores.sql.search_conditions import run_in_workspace
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.tables import RUNS
from schema.ports.store_info import StoreFeature
from schema.ports.table import Many


def read_datasets(session: Session, run_ids: Sequence[str], columns: Collection[str]) -> Many:
    """Return the datasets of each run, by name and digest."""
    names = [name for name in DATASET_COLUMNS if name in columns]
    is_context = and_(
        INPUT_TAGS.c.input_uuid == INPUTS.c.input_uuid, INPUT_TAGS.c.name == DATASET_CONTEXT_TAG
    )
    tables = INPUTS.join(DATASETS, INPUTS.c.source_id == DATASETS.c.dataset_uuid)
    tables = tables.outerjoin(INPUT_TAGS, is_context) if "context" in columns else tables
    run_id = INPUTS.c.destination_id
    order = (run_id, DATASETS.c.name, DATASETS.c.digest)
    statement = select(*order, *(DATASET_COLUMNS[name] for name in names)).select_from(tables)
    in_workspace = (
        []
        if session.workspace is None
        else [run_id.in_(select(RUNS.c.run_uuid).where(*run_in_workspace(session)))]
    )
    rows: list[Row] = []
    for batch in session.dialect.batches(dict.fromkeys(run_ids)):
        of_runs = (INPUTS.c.destination_type == "RUN", session.dialect.one_of(run_id, batch))
        rows += session.rows(statement.where(*of_runs, *in_workspace), of=StoreFeature.DATASETS)
    rows.sort(key=lambda row: row[:3])
    return grouped_rows(run_ids, names, [(row[0], *row[3:]) for row in rows])
