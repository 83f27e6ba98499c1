"""Runs as one wide table with a column for each param, metric and tag, as `mlflow.search_runs` returns it.

The columns are found by a separate scan before the first row; a key that is logged for the first time during
the export is left out.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from gql_server.exports.float_values import float_values
from gql_server.exports.table_layouts import Columns, ColumnType
from schema.exports.row_scan import Chunks, RowSearch, ScanOptions, run_pages
from schema.ports.errors import LimitExceeded
from schema.ports.related_rows import RunDataKind, run_data, settled
from schema.ports.table import Many, Table
from schema.ports.tracking import Tracking

_RUN_COLUMNS: Final[dict[str, tuple[str, ColumnType]]] = {
    "run_id": ("run_id", "text"),
    "experiment_id": ("experiment_id", "text"),
    "status": ("status", "text"),
    "artifact_uri": ("artifact_uri", "text"),
    "start_time": ("started_at", "time"),
    "end_time": ("ended_at", "time"),
}
"""The columns that every run has: by MLflow's name the port's name and the type."""
_KINDS: Final[dict[RunDataKind, ColumnType]] = {"metrics": "float", "params": "text", "tags": "text"}

Keys: TypeAlias = dict[str, Sequence[str]]
"""The keys of each kind."""


async def wide_keys(tracking: Tracking, search: RowSearch, options: ScanOptions, max_columns: int) -> Keys:
    """Return the sorted keys of each kind that the runs have; raise `LimitExceeded` above `max_columns`."""
    keys: dict[RunDataKind, set[str]] = {kind: set() for kind in _KINDS}
    async for runs in run_pages(tracking, search, options, frozenset({"run_id", *_KINDS})):
        for kind, kind_keys in keys.items():
            kind_keys.update((await settled(run_data(tracking, runs, kind, None))).rows["key"])
        if sum(map(len, keys.values())) > max_columns:
            message = (
                f"These runs have more than {max_columns:,} different params, metrics and tags "
                "(GQL_MAX_TABLE_COLUMNS); request one experiment, or the long tables."
            )
            raise LimitExceeded(message)
    return {kind: sorted(kind_keys) for kind, kind_keys in keys.items()}


def wide_columns(keys: Keys) -> Columns:
    """Return the columns with MLflow's names and in MLflow's order, the keys of each kind sorted."""
    columns: list[tuple[str, ColumnType]] = [(name, type_) for name, (_, type_) in _RUN_COLUMNS.items()]
    return columns + [(f"{kind}.{key}", _KINDS[kind]) for kind in _KINDS for key in keys[kind]]


async def wide_rows(tracking: Tracking, search: RowSearch, options: ScanOptions, keys: Keys) -> Chunks:
    """Yield the runs, with null for a key that a run does not have."""
    columns = frozenset({column for column, _ in _RUN_COLUMNS.values()} | _KINDS.keys())
    async for runs in run_pages(tracking, search, options, columns):
        table: dict[str, Any] = {name: runs[column] for name, (column, _) in _RUN_COLUMNS.items()}
        for kind in _KINDS:
            table |= _pivot(kind, await settled(run_data(tracking, runs, kind, None)), keys[kind])
        yield Table(runs.size, table)


def _pivot(kind: str, logged: Many, keys: Sequence[str]) -> dict[str, list[Any]]:
    """Return a column for each key, with a value for each run."""
    columns: dict[str, list[Any]] = {key: [None] * len(logged.spans) for key in keys}
    values = float_values(logged.rows) if kind == "metrics" else logged.rows["value"]
    for run, (start, stop) in enumerate(logged.spans):
        for row in range(start, stop):
            column = columns.get(logged.rows["key"][row])
            if column is not None:
                column[run] = values[row]
    return {f"{kind}.{key}": column for key, column in columns.items()}
