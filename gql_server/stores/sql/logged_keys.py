"""The distinct keys of the params, tags or metrics of many experiments.

This takes one statement, and two more if there are too many keys: then those of as many experiments are read
as the limit permits.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, func, select

from gql_server.stores.sql.search_conditions import experiment_numbers, run_in_workspace
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.tables import LATEST_METRICS, PARAMS, RUNS, TAGS
from schema.ports.tracking import LoggedKind

_TABLES: Final = {"metric": LATEST_METRICS, "param": PARAMS, "tag": TAGS}


def read_logged_keys(
    session: Session, by: LoggedKind, experiment_ids: Sequence[str], limit: int
) -> list[list[str] | None]:
    """Return the sorted keys of each experiment's active runs.

    All experiments have at most `limit` keys together; those beyond it have None.
    """
    numbers = experiment_numbers(dict.fromkeys(experiment_ids))
    keys = _read(session, by, numbers, limit)
    too_many: set[str] = set()
    if sum(map(len, keys.values())) > limit:
        within = _within_limit(session, by, numbers, limit)
        keys = _read(session, by, within, limit)
        too_many = set(map(str, numbers)) - set(map(str, within))
    return [None if id_ in too_many else sorted(keys.get(id_, ())) for id_ in experiment_ids]


def _read(session: Session, by: LoggedKind, numbers: Sequence[int], limit: int) -> dict[str, list[str]]:
    """Return the keys by experiment, and stop above the limit."""
    keys: dict[str, list[str]] = defaultdict(list)
    remaining = limit + 1
    for batch in session.dialect.batches(numbers):
        for number, key in session.rows(_keys(session, by, batch).limit(remaining)):
            keys[str(number)].append(key)
            remaining -= 1
        if not remaining:
            break
    return keys


def _within_limit(session: Session, by: LoggedKind, numbers: Sequence[int], limit: int) -> list[int]:
    """Return the first experiments that have at most `limit` keys together, without those with too many."""
    counts: dict[int, int] = {}
    for batch in session.dialect.batches(numbers):
        keys = _keys(session, by, batch).subquery()
        counts |= dict(
            session.rows(select(keys.c.experiment_id, func.count()).group_by(keys.c.experiment_id))
        )
    within, total = [], 0
    for number in numbers:
        if total + counts.get(number, 0) <= limit:
            total += counts.get(number, 0)
            within.append(number)
    return within


def _keys(session: Session, by: LoggedKind, numbers: Sequence[int]) -> Select[Any]:
    table, experiment = _TABLES[by], RUNS.c.experiment_id
    return (
        # Grouped by code point, so that the keys of a group are equal and their minimum is the key.
        select(experiment, func.min(table.c.key).label("key"))
        .select_from(RUNS.join(table, table.c.run_uuid == RUNS.c.run_uuid))
        .where(session.dialect.one_of(experiment, numbers), RUNS.c.lifecycle_stage == "active")
        .where(*run_in_workspace(session))
        .group_by(experiment, session.dialect.by_code_point(table.c.key))
    )
