"""The keys that runs have something under, of many experiments in one statement."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select

from gql_server.stores.limit_errors import too_many_groups
from gql_server.stores.sql.dialect import among, batches, by_code_point
from gql_server.stores.sql.search_conditions import experiment_numbers, run_in_workspace
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.tables import LATEST_METRICS, PARAMS, RUNS, TAGS
from schema.ports.tracking import LoggedKind

_TABLES: Final = {"metric": LATEST_METRICS, "param": PARAMS, "tag": TAGS}


def read_logged_keys(
    reading: Session, by: LoggedKind, experiment_ids: Sequence[str], workspace: str | None, most: int
) -> list[list[str]]:
    """Return the keys of each experiment's active runs, sorted; `LimitExceeded` for more than `most`."""
    table, experiment = _TABLES[by], RUNS.c.experiment_id
    found: dict[str, list[str]] = defaultdict(list)
    total = 0
    for numbers in batches(reading.dialect, experiment_numbers(dict.fromkeys(experiment_ids))):
        statement = (
            # Keys that a collation takes for the same are told apart, and the least of the same is the key.
            select(experiment, func.min(table.c.key))
            .select_from(RUNS.join(table, table.c.run_uuid == RUNS.c.run_uuid))
            .where(among(reading.dialect, experiment, numbers), RUNS.c.lifecycle_stage == "active")
            .where(*run_in_workspace(workspace))
            .group_by(experiment, by_code_point(reading.dialect, table.c.key))
            .limit(most + 1)
        )
        for number, key in reading.rows(statement):
            found[str(number)].append(key)
            total += 1
    if total > most:
        raise too_many_groups(most)
    return [sorted(found[experiment_id]) for experiment_id in experiment_ids]
