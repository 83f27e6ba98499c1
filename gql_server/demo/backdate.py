"""What MLflow's client cannot be told: the dates of all but runs and metrics, and a version's source."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from gql_server.demo.dates import MINUTE, moment

if TYPE_CHECKING:
    from pathlib import Path

# MLflow takes these dates from the machine's clock; here they follow from the runs' own. And it resolves the
# source "models:/<id>", which its own log_model gives to a version, through the tracking URI of the whole
# process, which the demo leaves alone: the versions are made with a path, and named properly here.
_SETTLE = (
    """UPDATE experiments SET creation_time = COALESCE((
         SELECT MIN(start_time) FROM runs WHERE runs.experiment_id = experiments.experiment_id
       ), :first_day) - :minute""",
    """UPDATE experiments SET last_update_time = COALESCE((
         SELECT MAX(start_time) FROM runs WHERE runs.experiment_id = experiments.experiment_id
       ), creation_time)""",
    "UPDATE runs SET deleted_time = end_time + :minute WHERE deleted_time IS NOT NULL",
    """UPDATE logged_models SET creation_timestamp_ms = (
         SELECT end_time FROM runs WHERE run_uuid = source_run_id
       )""",
    "UPDATE logged_models SET last_updated_timestamp_ms = creation_timestamp_ms",
    """UPDATE model_versions SET creation_time = (
         SELECT end_time FROM runs WHERE run_uuid = model_versions.run_id
       ) + :minute""",
    "UPDATE model_versions SET last_updated_time = creation_time",
    """UPDATE registered_models SET (creation_time, last_updated_time) = (
         SELECT MIN(creation_time), MAX(creation_time) FROM model_versions AS v
         WHERE v.name = registered_models.name
       )""",
    """UPDATE model_versions SET source = 'models:/' || (
         SELECT model_id FROM logged_models WHERE source_run_id = model_versions.run_id
       )""",
)


def settle(database: Path) -> None:
    """Make the dates and sources in ``database`` the same in each fill; runs once, at the end of one."""
    named = {"first_day": moment(0, 0), "minute": MINUTE}
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in _SETTLE:
            connection.execute(statement, named)
