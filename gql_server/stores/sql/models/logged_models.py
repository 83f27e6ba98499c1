"""Logged models: of runs, of experiments, and by their ids, each in one statement."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, select, union

from gql_server.stores.sql.dialect import among, batches
from gql_server.stores.sql.group_rows import children
from gql_server.stores.sql.models.model_tables import INPUTS, MODEL_COLUMNS, MODELS
from gql_server.stores.sql.order import SqlOrder
from gql_server.stores.sql.pages import as_pages, as_table, selected
from gql_server.stores.sql.search_conditions import Conditions, experiment_in_workspace, experiment_numbers
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.sort_keys import SortKey
from gql_server.stores.sql.tables import EXPERIMENTS
from gql_server.stores.sql.top_per_group import first_of_each
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages

_EXPERIMENT = MODELS.c.experiment_id


def models_of_runs(
    reading: Session, run_ids: Sequence[str], columns: Collection[str], workspace: str | None
) -> Many:
    """Return the models that each run is the source of or logged as its output, the newest first."""
    names = [name for name in MODEL_COLUMNS if name in columns]
    order = (MODELS.c.creation_timestamp_ms, MODELS.c.model_id)
    rows: list[Row] = []
    for batch in batches(reading.dialect, dict.fromkeys(run_ids)):
        made = select(MODELS.c.source_run_id.label("run_id"), MODELS.c.model_id.label("model_id"))
        logged = select(INPUTS.c.source_id, INPUTS.c.destination_id)
        links = union(
            made.where(among(reading.dialect, MODELS.c.source_run_id, batch)),
            logged.where(
                INPUTS.c.source_type == "RUN_OUTPUT",
                INPUTS.c.destination_type == "MODEL_OUTPUT",
                among(reading.dialect, INPUTS.c.source_id, batch),
            ),
        ).subquery()
        statement = select(links.c.run_id, *order, *(MODEL_COLUMNS[name] for name in names))
        linked = statement.select_from(links.join(MODELS, links.c.model_id == MODELS.c.model_id))
        rows += reading.rows(linked.where(*_there(workspace)))
    rows.sort(key=lambda row: (row[0], -row[1], row[2]))
    return children(run_ids, names, [(row[0], *row[3:]) for row in rows])


def models_of_experiments(reading: Session, ids: Sequence[str], page: Page, workspace: str | None) -> Pages:
    """Return a page of each experiment's models, the newest first."""
    newest = SortKey(reading.dialect, MODELS.c.creation_timestamp_ms, descending=True)
    ordering = SqlOrder((newest,), MODELS.c.model_id)
    names, columns = selected(MODEL_COLUMNS, page.columns, ordering)
    conditions = [*_there(workspace), *_of(reading, ids)]
    if page.after is not None:
        conditions.append(ordering.behind(page.after))
    statement = select(*columns).where(*conditions)
    found = first_of_each(reading, statement, [_EXPERIMENT], [_EXPERIMENT], ordering, page.first + 1)
    return as_pages(ordering, names, [found.get((int(own),), []) for own in ids], page.first)


def count_models(reading: Session, ids: Sequence[str], workspace: str | None) -> list[int | None]:
    """Count each experiment's models."""
    statement = select(_EXPERIMENT, func.count()).where(*_there(workspace), *_of(reading, ids))
    counts = {str(own): int(count) for own, count in reading.rows(statement.group_by(_EXPERIMENT))}
    return [counts.get(own, 0) for own in ids]


def models_by_id(
    reading: Session, ids: Sequence[str], columns: Collection[str], workspace: str | None
) -> One:
    """Look models up; what is deleted is not there."""
    names = [name for name in MODEL_COLUMNS if name in columns]
    statement = select(*(MODEL_COLUMNS[name] for name in names), MODELS.c.model_id.label("asked"))
    rows: list[Row] = []
    for batch in batches(reading.dialect, dict.fromkeys(ids)):
        asked = among(reading.dialect, MODELS.c.model_id, batch)
        rows += reading.rows(statement.where(asked, *_there(workspace)))
    places = {row[-1]: place for place, row in enumerate(rows)}
    return One(as_table(names, rows), [places.get(own) for own in ids])


def _there(workspace: str | None) -> Conditions:
    return [MODELS.c.lifecycle_stage != "deleted", *in_workspace(_EXPERIMENT, workspace)]


def _of(reading: Session, ids: Sequence[str]) -> Conditions:
    return [among(reading.dialect, _EXPERIMENT, experiment_numbers(dict.fromkeys(ids)))]


def in_workspace(experiment: Any, workspace: str | None) -> Conditions:
    """Return the conditions that a row with such a column is of an experiment of the workspace."""
    if workspace is None:
        return []
    return [experiment.in_(select(EXPERIMENTS.c.experiment_id).where(*experiment_in_workspace(workspace)))]
