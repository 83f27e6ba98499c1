"""What was logged to logged models: params, tags, and the last values of metrics."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Table, func, select

from gql_server.stores.sql.dialect import among, batches
from gql_server.stores.sql.group_rows import children, pairs
from gql_server.stores.sql.models.logged_models import in_workspace
from gql_server.stores.sql.models.model_tables import MODEL_METRICS, MODEL_PARAMS, MODEL_TAGS
from gql_server.stores.sql.session import Row, Session
from schema.ports import table
from schema.ports.non_finite import split_stored
from schema.ports.table import Many

_METRIC: Final = ("key", "run_id", "dataset_name", "dataset_digest", "step", "timestamp", "value")


def read_model_params(reading: Session, ids: Sequence[str], workspace: str | None) -> Many:
    """Return the params of each model, by key."""
    columns = (MODEL_PARAMS.c.param_key, MODEL_PARAMS.c.param_value)
    return pairs(ids, _rows(reading, MODEL_PARAMS, ids, columns, workspace))


def read_model_tags(reading: Session, ids: Sequence[str], workspace: str | None) -> Many:
    """Return the tags of each model, by key."""
    columns = (MODEL_TAGS.c.tag_key, MODEL_TAGS.c.tag_value)
    return pairs(ids, _rows(reading, MODEL_TAGS, ids, columns, workspace))


def read_model_metrics(reading: Session, ids: Sequence[str], workspace: str | None) -> Many:
    """Return the last value of each metric of each model for each run and dataset, by key."""
    metrics = MODEL_METRICS.c
    one = (metrics.metric_name, metrics.run_id, metrics.dataset_name, metrics.dataset_digest)
    values = (metrics.metric_step, metrics.metric_timestamp_ms, metrics.metric_value)
    latest = (metrics.metric_step.desc(), metrics.metric_timestamp_ms.desc())
    place = func.row_number().over(partition_by=[metrics.model_id, *one], order_by=latest)
    rows = _rows(reading, MODEL_METRICS, ids, (*one, *values), workspace, place)
    # A null and a text do not compare.
    rows.sort(key=lambda row: (*row[:3], row[3] or "", row[4] or ""))
    found = children(ids, _METRIC, rows)
    columns = dict(found.rows.columns)
    columns["value"], columns["non_finite"] = split_stored(list(found.rows["value"]))
    return Many(table.Table(found.rows.size, columns), found.spans)


def _rows(
    reading: Session,
    of: Table,
    ids: Sequence[str],
    columns: Sequence[ColumnElement[Any]],
    workspace: str | None,
    place: ColumnElement[Any] | None = None,
) -> list[Row]:
    """Return the rows of models, each model's id first; with a `place`, only the rows whose place is 1."""
    rows: list[Row] = []
    statement: Select[Any] = select(of.c.model_id, *columns)
    for batch in batches(reading.dialect, dict.fromkeys(ids)):
        asked = among(reading.dialect, of.c.model_id, batch)
        found = statement.where(asked, *in_workspace(of.c.experiment_id, workspace))
        if place is not None:
            numbered = found.add_columns(place.label("place")).subquery()
            found = select(*list(numbered.c)[:-1]).where(numbered.c.place == 1)
        rows += reading.rows(found)
    return rows
