"""The params and tags of logged models, and the last values of their metrics."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Table, func, select

from gql_server.stores.sql.group_rows import grouped_key_values, grouped_rows
from gql_server.stores.sql.models.logged_models import in_workspace
from gql_server.stores.sql.models.model_tables import MODEL_METRICS, MODEL_PARAMS, MODEL_TAGS
from gql_server.stores.sql.session import Row, Session
from schema.ports import table
from schema.ports.non_finite import split_stored
from schema.ports.store_info import StoreFeature
from schema.ports.table import Many

_METRIC: Final = ("key", "run_id", "dataset_name", "dataset_digest", "step", "timestamp", "value")


def read_model_params(session: Session, ids: Sequence[str]) -> Many:
    """Return the params of each model, by key."""
    columns = (MODEL_PARAMS.c.param_key, MODEL_PARAMS.c.param_value)
    return grouped_key_values(ids, _rows(session, MODEL_PARAMS, ids, columns))


def read_model_tags(session: Session, ids: Sequence[str]) -> Many:
    """Return the tags of each model, by key."""
    columns = (MODEL_TAGS.c.tag_key, MODEL_TAGS.c.tag_value)
    return grouped_key_values(ids, _rows(session, MODEL_TAGS, ids, columns))


def read_model_metrics(session: Session, ids: Sequence[str]) -> Many:
    """Return the last value of each metric of each model for each run and dataset, by key."""
    metrics = MODEL_METRICS.c
    identity = (metrics.metric_name, metrics.run_id, metrics.dataset_name, metrics.dataset_digest)
    values = (metrics.metric_step, metrics.metric_timestamp_ms, metrics.metric_value)
    latest = (metrics.metric_step.desc(), metrics.metric_timestamp_ms.desc())
    number = func.row_number().over(partition_by=[metrics.model_id, *identity], order_by=latest)
    rows = _rows(session, MODEL_METRICS, ids, (*identity, *values), number)
    # Python cannot compare None with text.
    rows.sort(key=lambda row: (*row[:3], row[3] or "", row[4] or ""))
    metrics_of_models = grouped_rows(ids, _METRIC, rows)
    columns = dict(metrics_of_models.rows.columns)
    columns["value"], columns["non_finite"] = split_stored(list(metrics_of_models.rows["value"]))
    return Many(table.Table(len(rows), columns), metrics_of_models.spans)


def _rows(
    session: Session,
    source: Table,
    ids: Sequence[str],
    columns: Sequence[ColumnElement[Any]],
    number: ColumnElement[Any] | None = None,
) -> list[Row]:
    """Return the rows of models, each model's id first; with `number`, only the rows with number 1."""
    rows: list[Row] = []
    statement: Select[Any] = select(source.c.model_id, *columns)
    for batch in session.dialect.batches(dict.fromkeys(ids)):
        of_models = session.dialect.one_of(source.c.model_id, batch)
        selected = statement.where(of_models, *in_workspace(session, source.c.experiment_id))
        if number is not None:
            numbered = selected.add_columns(number.label("row_number")).subquery()
            selected = select(*list(numbered.c)[:-1]).where(numbered.c.row_number == 1)
        rows += session.rows(selected, of=StoreFeature.LOGGED_MODELS)
    return rows
