"""The tables: which there are, their columns and types, and how their rows are walked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from schema.exports.row_scan import (
    Chunks,
    RowSearch,
    ScanOptions,
    experiment_rows,
    key_value_rows,
    point_rows,
    run_rows,
)
from schema.ports.tracking import Tracking

Type: TypeAlias = Literal["text", "time", "whole", "number", "value"]
"""A column's type. A `value` is a metric's, which may be not finite, as the column `non_finite` then says."""

Columns: TypeAlias = Sequence[tuple[str, Type]]


@dataclass(frozen=True, slots=True)
class TableLayout:
    """A table: its columns, the parameters that it takes, and where its rows come from."""

    columns: Columns
    takes: frozenset[str]
    rows: Callable[[Tracking, RowSearch, ScanOptions], Chunks]
    runs_per_chunk: int = 2000
    """More than a page of rows takes: without an index of its own a database sorts all runs for each part."""


_OWNER: Final[Columns] = (("run_id", "text"), ("experiment_id", "text"), ("key", "text"))
_PAIR: Final[Columns] = (*_OWNER, ("value", "text"))
_POINT: Final[Columns] = (*_OWNER, ("value", "value"), ("step", "whole"), ("timestamp", "time"))
_OF_RUNS: Final = frozenset({"experiment", "filter", "since"})

TABLES: Final[dict[str, TableLayout]] = {
    "experiments": TableLayout(
        (
            ("experiment_id", "text"),
            ("name", "text"),
            ("lifecycle_stage", "text"),
            ("created_at", "time"),
            ("updated_at", "time"),
        ),
        frozenset({"since"}),
        experiment_rows,
    ),
    "runs": TableLayout(
        (
            ("run_id", "text"),
            ("experiment_id", "text"),
            ("experiment_name", "text"),
            ("run_name", "text"),
            ("status", "text"),
            ("lifecycle_stage", "text"),
            ("user_id", "text"),
            ("started_at", "time"),
            ("ended_at", "time"),
            ("duration_seconds", "number"),
            ("parent_run_id", "text"),
        ),
        _OF_RUNS | {"wide"},
        run_rows,
        runs_per_chunk=5000,
    ),
    "params": TableLayout(
        _PAIR,
        _OF_RUNS | {"key"},
        lambda tracking, asked, walk: key_value_rows(tracking, asked, walk, "params"),
    ),
    "tags": TableLayout(
        _PAIR, _OF_RUNS | {"key"}, lambda tracking, asked, walk: key_value_rows(tracking, asked, walk, "tags")
    ),
    "metrics": TableLayout(
        _POINT,
        _OF_RUNS | {"key"},
        lambda tracking, asked, walk: key_value_rows(tracking, asked, walk, "metrics"),
    ),
    "metric_points": TableLayout(_POINT, _OF_RUNS | {"key"}, point_rows),
}
