"""Runs as one wide table, a column for each param, metric and tag: what `mlflow.search_runs` gives.

Which columns there are is found out in a walk of its own, before the first row; a key that is logged for the
first time during the download is left out.
"""

from collections.abc import Sequence
from typing import Any, Final

from gql_server.exports.table_layouts import Columns, Type
from schema.exports.row_scan import Chunks, RowSearch, ScanOptions, logged_data, run_pages
from schema.ports.errors import LimitExceeded
from schema.ports.table import Many, Table
from schema.ports.tracking import Tracking

_OWN: Final[dict[str, tuple[str, Type]]] = {
    "run_id": ("run_id", "text"),
    "experiment_id": ("experiment_id", "text"),
    "status": ("status", "text"),
    "artifact_uri": ("artifact_uri", "text"),
    "start_time": ("started_at", "time"),
    "end_time": ("ended_at", "time"),
}
_KINDS: Final[dict[str, Type]] = {"metrics": "number", "params": "text", "tags": "text"}
_NOT_FINITE: Final = {"POSITIVE_INFINITY": float("inf"), "NEGATIVE_INFINITY": float("-inf")}

Keys = dict[str, Sequence[str]]


async def wide_keys(tracking: Tracking, asked: RowSearch, walk: ScanOptions, most: int) -> Keys:
    """Return the keys that the runs have, by kind and sorted. Raises LimitExceeded beyond `most`."""
    found: dict[str, set[str]] = {kind: set() for kind in _KINDS}
    async for runs in run_pages(tracking, asked, walk, frozenset({"run_id", *_KINDS})):
        for kind, keys in found.items():
            keys.update((await logged_data(tracking, runs, kind, None)).rows["key"])
        if sum(map(len, found.values())) > most:
            message = (
                f"These runs have more than {most:,} different params, metrics and tags "
                "(GQL_MAX_TABLE_COLUMNS); ask for one experiment, or for the long tables."
            )
            raise LimitExceeded(message)
    return {kind: sorted(keys) for kind, keys in found.items()}


def wide_columns(keys: Keys) -> Columns:
    """Return the columns: MLflow's names and order, the keys of a kind sorted."""
    own: list[tuple[str, Type]] = [(name, type_) for name, (_, type_) in _OWN.items()]
    return own + [(f"{kind}.{key}", _KINDS[kind]) for kind in _KINDS for key in keys[kind]]


async def wide_rows(tracking: Tracking, asked: RowSearch, walk: ScanOptions, keys: Keys) -> Chunks:
    """Give the rows; what a run does not have is null."""
    needed = frozenset({column for column, _ in _OWN.values()} | _KINDS.keys())
    async for runs in run_pages(tracking, asked, walk, needed):
        table: dict[str, Any] = {name: runs[column] for name, (column, _) in _OWN.items()}
        for kind in _KINDS:
            table |= _spread(kind, await logged_data(tracking, runs, kind, None), keys[kind])
        yield Table(runs.size, table)


def _spread(kind: str, found: Many, keys: Sequence[str]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {key: [None] * len(found.spans) for key in keys}
    values = _numbers(found.rows) if kind == "metrics" else found.rows["value"]
    for row, (start, stop) in enumerate(found.spans):
        for place in range(start, stop):
            column = columns.get(found.rows["key"][place])
            if column is not None:
                column[row] = values[place]
    return {f"{kind}.{key}": column for key, column in columns.items()}


def _numbers(metrics: Table) -> list[float]:
    return numbers(metrics["value"], metrics["non_finite"])


def numbers(values: Sequence[float | None], non_finite: Sequence[str | None]) -> list[float]:
    """Return metric values with those in it that are not finite."""
    return [
        value if value is not None else _NOT_FINITE.get(name or "", float("nan"))
        for value, name in zip(values, non_finite, strict=True)
    ]
