"""Logged models: of runs, of experiments, and by id, each in one statement."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, select, union

from gql_server.stores.sql.group_rows import grouped_rows
from gql_server.stores.sql.models.model_tables import INPUTS, MODEL_COLUMNS, MODELS
from gql_server.stores.sql.order import SqlOrder
from gql_server.stores.sql.pages import as_pages, as_table, select_list
from gql_server.stores.sql.search_conditions import Conditions, experiment_in_workspace, experiment_numbers
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.sort_keys import SortKey
from gql_server.stores.sql.tables import EXPERIMENTS
from gql_server.stores.sql.top_per_group import top_per_group
from schema.ports.store_info import StoreFeature
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages

_EXPERIMENT = MODELS.c.experiment_id


def models_of_runs(session: Session, run_ids: Sequence[str], columns: Collection[str]) -> Many:
    """Return the models of each run, as their source or through its outputs, the newest first."""
    names = [name for name in MODEL_COLUMNS if name in columns]
    order = (MODELS.c.creation_timestamp_ms, MODELS.c.model_id)
    rows: list[Row] = []
    for batch in session.dialect.batches(dict.fromkeys(run_ids)):
        sources = select(MODELS.c.source_run_id.label("run_id"), MODELS.c.model_id.label("model_id"))
        outputs = select(INPUTS.c.source_id, INPUTS.c.destination_id)
        links = union(
            sources.where(session.dialect.one_of(MODELS.c.source_run_id, batch)),
            outputs.where(
                INPUTS.c.source_type == "RUN_OUTPUT",
                INPUTS.c.destination_type == "MODEL_OUTPUT",
                session.dialect.one_of(INPUTS.c.source_id, batch),
            ),
        ).subquery()
        statement = select(links.c.run_id, *order, *(MODEL_COLUMNS[name] for name in names))
        linked = statement.select_from(links.join(MODELS, links.c.model_id == MODELS.c.model_id))
        rows += session.rows(linked.where(*_is_active(session)), of=StoreFeature.LOGGED_MODELS)
    rows.sort(key=lambda row: (row[0], -row[1], row[2]))
    return grouped_rows(run_ids, names, [(row[0], *row[3:]) for row in rows])


def models_of_experiments(session: Session, ids: Sequence[str], page: Page) -> Pages:
    """Return a page of each experiment's models, the newest first."""
    newest = SortKey(session.dialect, MODELS.c.creation_timestamp_ms, descending=True)
    order = SqlOrder((newest,), MODELS.c.model_id)
    names, columns = select_list(MODEL_COLUMNS, page.columns, order)
    conditions = [*_is_active(session), *_in_experiments(session, ids)]
    if page.after is not None:
        conditions.append(order.after(page.after))
    statement = select(*columns).where(*conditions)
    by_experiment, limit = [_EXPERIMENT], page.first + 1
    groups = top_per_group(
        session, statement, by_experiment, by_experiment, order, limit, of=StoreFeature.LOGGED_MODELS
    )
    return as_pages(order, names, [groups.get((int(id_),), []) for id_ in ids], page.first)


def count_models(session: Session, ids: Sequence[str]) -> list[int | None]:
    """Count each experiment's models."""
    statement = select(_EXPERIMENT, func.count()).where(*_is_active(session), *_in_experiments(session, ids))
    rows = session.rows(statement.group_by(_EXPERIMENT), of=StoreFeature.LOGGED_MODELS)
    counts = {str(id_): int(count) for id_, count in rows}
    return [counts.get(id_, 0) for id_ in ids]


def models_by_id(session: Session, ids: Sequence[str], columns: Collection[str]) -> One:
    """Look up models by id, without deleted models."""
    names = [name for name in MODEL_COLUMNS if name in columns]
    statement = select(*(MODEL_COLUMNS[name] for name in names), MODELS.c.model_id.label("requested_key"))
    rows: list[Row] = []
    for batch in session.dialect.batches(dict.fromkeys(ids)):
        has_id = session.dialect.one_of(MODELS.c.model_id, batch)
        rows += session.rows(statement.where(has_id, *_is_active(session)), of=StoreFeature.LOGGED_MODELS)
    indexes = {row[-1]: index for index, row in enumerate(rows)}
    return One(as_table(names, rows), [indexes.get(id_) for id_ in ids])


def _is_active(session: Session) -> Conditions:
    return [MODELS.c.lifecycle_stage != "deleted", *in_workspace(session, _EXPERIMENT)]


def _in_experiments(session: Session, ids: Sequence[str]) -> Conditions:
    return [session.dialect.one_of(_EXPERIMENT, experiment_numbers(dict.fromkeys(ids)))]


def in_workspace(session: Session, experiment: Any) -> Conditions:
    """Return the conditions that a column's experiment is in the session's workspace."""
    if session.workspace is None:
        return []
    return [experiment.in_(select(EXPERIMENTS.c.experiment_id).where(*experiment_in_workspace(session)))]
