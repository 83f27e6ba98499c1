"""The exported tables: their columns, parameters and rows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, TypeAlias

from schema.exports.row_scan import (
    RUN_LABELS,
    Chunks,
    RowSearch,
    ScanOptions,
    experiment_rows,
    key_value_rows,
    point_rows,
    run_rows,
)
from schema.ports.tracking import Tracking

ColumnType: TypeAlias = Literal["text", "time", "integer", "float"]

Columns: TypeAlias = Sequence[tuple[str, ColumnType]]
"""Names and types."""


@dataclass(frozen=True, slots=True)
class TableLayout:
    """A table: its columns, its query parameters and the scan that yields its rows."""

    columns: Columns
    parameters: frozenset[str]
    rows: Callable[[Tracking, RowSearch, ScanOptions, Iterable[str]], Chunks]
    """The scan, for some of the columns; its rows may have more of them."""
    runs_per_chunk: int = 2000
    """More than in a page of the graph: a database without an index sorts all runs for each chunk."""

    def chosen(self, names: Sequence[str] | None) -> Columns:
        """Return the columns with these names, in this order; None selects all."""
        types = dict(self.columns)
        return self.columns if names is None else tuple((name, types[name]) for name in names)


_RUN: Final[Columns] = (
    ("run_id", "text"),
    ("experiment_id", "text"),
    ("experiment_name", "text"),
    ("run_name", "text"),
    ("status", "text"),
    ("lifecycle_stage", "text"),
    ("user_id", "text"),
    ("started_at", "time"),
    ("ended_at", "time"),
    ("duration_seconds", "float"),
    ("parent_run_id", "text"),
    ("artifact_uri", "text"),
)
_LOGGED_BY: Final[Columns] = (*_RUN[: len(RUN_LABELS)], ("key", "text"))
_KEY_VALUE: Final[Columns] = (*_LOGGED_BY, ("value", "text"))
_POINT: Final[Columns] = (*_LOGGED_BY, ("value", "float"), ("step", "integer"), ("timestamp", "time"))
_RUN_PARAMETERS: Final = frozenset({"columns", "experiment", "filter", "since"})

TABLES: Final[dict[str, TableLayout]] = {
    "experiments": TableLayout(
        (
            ("experiment_id", "text"),
            ("name", "text"),
            ("lifecycle_stage", "text"),
            ("created_at", "time"),
            ("updated_at", "time"),
        ),
        frozenset({"columns", "since"}),
        lambda tracking, search, options, _columns: experiment_rows(tracking, search, options),
    ),
    "runs": TableLayout(_RUN, _RUN_PARAMETERS | {"wide"}, run_rows, runs_per_chunk=5000),
    "params": TableLayout(_KEY_VALUE, _RUN_PARAMETERS | {"key"}, partial(key_value_rows, kind="params")),
    "tags": TableLayout(_KEY_VALUE, _RUN_PARAMETERS | {"key"}, partial(key_value_rows, kind="tags")),
    "metrics": TableLayout(_POINT, _RUN_PARAMETERS | {"key"}, partial(key_value_rows, kind="metrics")),
    "metric_points": TableLayout(_POINT, _RUN_PARAMETERS | {"key"}, point_rows),
}
