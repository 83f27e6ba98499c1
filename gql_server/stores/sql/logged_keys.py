"""The distinct keys of the params, tags or metrics of many experiments, in one statement."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select

from gql_server.stores.limit_errors import too_many_groups
from gql_server.stores.sql.search_conditions import experiment_numbers, run_in_workspace
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.tables import LATEST_METRICS, PARAMS, RUNS, TAGS
from schema.ports.tracking import LoggedKind

_TABLES: Final = {"metric": LATEST_METRICS, "param": PARAMS, "tag": TAGS}


def read_logged_keys(
    session: Session, by: LoggedKind, experiment_ids: Sequence[str], limit: int
) -> list[list[str]]:
    """Return the sorted keys of each experiment's active runs.

    Raise `LimitExceeded` for more than `limit` keys.
    """
    table, experiment = _TABLES[by], RUNS.c.experiment_id
    keys: dict[str, list[str]] = defaultdict(list)
    total = 0
    for numbers in session.dialect.batches(experiment_numbers(dict.fromkeys(experiment_ids))):
        statement = (
            # Grouped by code point, so that the keys of a group are equal and their minimum is the key.
            select(experiment, func.min(table.c.key))
            .select_from(RUNS.join(table, table.c.run_uuid == RUNS.c.run_uuid))
            .where(session.dialect.one_of(experiment, numbers), RUNS.c.lifecycle_stage == "active")
            .where(*run_in_workspace(session))
            .group_by(experiment, session.dialect.by_code_point(table.c.key))
            .limit(limit + 1)
        )
        for number, key in session.rows(statement):
            keys[str(number)].append(key)
            total += 1
    if total > limit:
        raise too_many_groups(limit)
    return [sorted(keys[experiment_id]) for experiment_id in experiment_ids]
