"""Runs as one wide table with a column for each param, metric and tag.

Unless the columns are chosen by name, they are found by a separate scan before the first row; a key that is
logged for the first time during the export is left out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gql_server.exports.float_values import float_values
from gql_server.exports.table_layouts import TABLES, Columns, ColumnType
from schema.exports.row_scan import Chunks, RowSearch, ScanOptions, run_pages
from schema.exports.run_columns import RunColumns
from schema.ports.columns import Columns as StoredColumns
from schema.ports.errors import LimitExceeded
from schema.ports.related_rows import RunDataKind, run_data, settled
from schema.ports.table import Many, Table
from schema.ports.tracking import Tracking

_KINDS: Final[dict[RunDataKind, ColumnType]] = {"metrics": "float", "params": "text", "tags": "text"}
_RUN: Final = dict(TABLES["runs"].columns)
ALL_KEYS: Final = "*"
"""`metrics.*` stands for a column for each metric that the runs have; no key of MLflow is this one."""


@dataclass(frozen=True, slots=True)
class WideLayout:
    """The columns of a wide table, and what is read for them.

    `keys` has the keys of each kind that become columns, and `whole` the kinds of which all keys are read.
    """

    columns: Columns
    keys: Mapping[RunDataKind, Collection[str]]
    whole: Collection[RunDataKind]

    def keys_to_read(self, kind: RunDataKind) -> frozenset[str] | None:
        """Return the keys to read of a kind; None for all."""
        return None if kind in self.whole else frozenset(self.keys[kind])


def split_data_column(name: str) -> tuple[RunDataKind, str] | None:
    """Return the kind and the key of a column such as `metrics.loss`; None for another name."""
    prefix, _, key = name.partition(".")
    return next(((kind, key) for kind in _KINDS if kind == prefix and key), None)


async def wide_layout(
    tracking: Tracking,
    search: RowSearch,
    options: ScanOptions,
    chosen: Sequence[str] | None,
    max_columns: int,
) -> WideLayout:
    """Return the layout of the chosen columns, in their order; by default of all, the keys of a kind sorted.

    Raise `LimitExceeded` for more than `max_columns` params, metrics and tags.
    """
    names = (*_RUN, *(f"{kind}.{ALL_KEYS}" for kind in _KINDS)) if chosen is None else chosen
    data = [split_data_column(name) for name in names]
    whole = {column[0] for column in data if column is not None and column[1] == ALL_KEYS}
    found = await _found_keys(tracking, search, options, whole, max_columns) if whole else {}
    columns: dict[str, ColumnType] = {}
    keys: dict[RunDataKind, dict[str, None]] = {}
    for name, column in zip(names, data, strict=True):
        if column is None:
            columns[name] = _RUN[name]
            continue
        kind, key = column
        for each in found[kind] if key == ALL_KEYS else (key,):
            columns[f"{kind}.{each}"] = _KINDS[kind]
            keys.setdefault(kind, {})[each] = None
    _check_number(keys.values(), max_columns)
    return WideLayout(tuple(columns.items()), keys, whole.intersection(keys))


async def wide_rows(
    tracking: Tracking, search: RowSearch, options: ScanOptions, layout: WideLayout
) -> Chunks:
    """Yield the runs, with null for a key that a run does not have."""
    run_columns = RunColumns(tracking, [name for name, _ in layout.columns])
    async for runs in run_pages(tracking, search, options, _stored(run_columns, layout)):
        table: dict[str, Any] = dict(await run_columns.read(runs))
        for kind, keys in layout.keys.items():
            logged = await settled(run_data(tracking, runs, kind, layout.keys_to_read(kind)))
            table |= _pivot(kind, logged, keys)
        yield Table(runs.size, table)


async def _found_keys(
    tracking: Tracking,
    search: RowSearch,
    options: ScanOptions,
    kinds: Collection[RunDataKind],
    max_columns: int,
) -> dict[RunDataKind, list[str]]:
    """Return the sorted keys of each kind that the runs have."""
    keys: dict[RunDataKind, set[str]] = {kind: set() for kind in kinds}
    async for runs in run_pages(tracking, search, options, frozenset({"run_id", *kinds})):
        for kind, kind_keys in keys.items():
            kind_keys.update((await settled(run_data(tracking, runs, kind, None))).rows["key"])
        _check_number(keys.values(), max_columns)
    return {kind: sorted(kind_keys) for kind, kind_keys in keys.items()}


def _check_number(keys: Iterable[Collection[str]], max_columns: int) -> None:
    if sum(map(len, keys)) > max_columns:
        message = (
            f"This table has more than {max_columns:,} different params, metrics and tags "
            "(GQL_MAX_TABLE_COLUMNS); choose some by columns, such as columns=run_id,metrics.loss, or "
            "request one experiment, or the long tables."
        )
        raise LimitExceeded(message)


def _stored(run_columns: RunColumns, layout: WideLayout) -> StoredColumns:
    """Return the columns of the store that a page of runs must have."""
    stored = run_columns.stored
    keys = dict(stored.keys)
    for kind in layout.keys:
        to_read = layout.keys_to_read(kind)
        if to_read is None:
            keys.pop(kind, None)
        else:
            keys[kind] = keys.get(kind, frozenset()) | to_read
    return StoredColumns(stored.union(layout.keys), keys)


def _pivot(kind: RunDataKind, logged: Many, keys: Iterable[str]) -> dict[str, list[Any]]:
    """Return a column for each key, with a value for each run."""
    columns: dict[str, list[Any]] = {key: [None] * len(logged.spans) for key in keys}
    values = float_values(logged.rows) if kind == "metrics" else logged.rows["value"]
    for run, (start, stop) in enumerate(logged.spans):
        for row in range(start, stop):
            column = columns.get(logged.rows["key"][row])
            if column is not None:
                column[run] = values[row]
    return {f"{kind}.{key}": column for key, column in columns.items()}
