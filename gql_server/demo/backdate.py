"""Set the columns that MLflow's client cannot set: dates, and the sources of model versions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from gql_server.demo.dates import MINUTE, timestamp

if TYPE_CHECKING:
    from pathlib import Path

# MLflow sets these dates from the clock; here they are derived from the dates of the runs. MLflow's log_model
# gives a version the source "models:/<id>", which it resolves through the tracking URI of the process. The
# demo does not change that URI: it creates the versions with a path, and sets their source here.
_STATEMENTS = (
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


def backdate(database: Path) -> None:
    """Set dates and sources in ``database`` to the same values in every fill; runs once, at its end."""
    parameters = {"first_day": timestamp(0, 0), "minute": MINUTE}
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in _STATEMENTS:
            connection.execute(statement, parameters)
