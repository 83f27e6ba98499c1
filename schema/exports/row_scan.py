"""Flat rows of experiments, runs and their data, read from any store in chunks of limited size.

Rows are in the order of runs (newest first), then of keys, then of step, timestamp and value. A row that
exists during the whole scan is returned exactly once. The number of store calls of a chunk does not depend on
its number of rows.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

from schema.exports.point_scan import scan_points
from schema.exports.run_columns import RUN_COLUMNS, RunColumns
from schema.ports.columns import Columns
from schema.ports.condition import AnyOf, Condition, Predicate
from schema.ports.errors import LimitExceeded, NotFound
from schema.ports.filter_string import count_comparisons
from schema.ports.related_rows import RunDataKind, run_data, settled
from schema.ports.table import Span, Table
from schema.ports.tracking import Page, Scope, Search, Tracking

EXPERIMENT_COLUMNS: Final = ("experiment_id", "name", "lifecycle_stage", "created_at", "updated_at")
RUN_LABELS: Final = ("run_id", "experiment_id", "experiment_name", "run_name")
"""The columns of a run that the rows of its data have."""
_PAIR_COLUMNS: Final = ("key", "value")
_METRIC_COLUMNS: Final = (*_PAIR_COLUMNS, "non_finite", "step", "timestamp")

RUNS_PER_CHUNK: Final = 500
"""Enough runs that the overhead of a call is small, and few enough that their data fits in memory."""
POINTS_PER_CHUNK: Final = 50_000
"""The points of one chunk; they take 10 MB as Python numbers."""

Chunks = AsyncGenerator[Table, None]


@dataclass(frozen=True, slots=True)
class RowSearch:
    """Selects rows by an experiment's name, by MLflow's filter string on runs and by a key. None selects all.

    `since`, in milliseconds, excludes runs that ended earlier, and experiments that were last updated
    earlier. MLflow stores no update time of runs, so changes to a run after its end do not include it.
    """

    experiment: str | None = None
    filter: str | None = None
    key: str | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """How to scan: the sizes of chunks and the limits.

    `max_conditions` limits the comparisons of a filter, `max_runs` the runs that are read; None sets no
    limit. `skip` is a number of points that need not be read; only `point_rows` uses it.
    """

    max_conditions: int
    runs_per_chunk: int = RUNS_PER_CHUNK
    points_per_chunk: int = POINTS_PER_CHUNK
    max_runs: int | None = None
    skip: int = 0


async def experiment_rows(tracking: Tracking, search: RowSearch, options: ScanOptions) -> Chunks:
    """Yield active experiments, in MLflow's default order."""
    where = None if search.since is None else Predicate("attribute", "updated_at", "gte", search.since)
    position = None
    while True:
        page = Page(options.runs_per_chunk, position, frozenset(EXPERIMENT_COLUMNS))
        pages = await tracking.experiments(Search(where=where), page)
        yield Table(pages.rows.size, {name: pages.rows[name] for name in EXPERIMENT_COLUMNS})
        if not pages.has_next[0] or not pages.rows.size:
            return
        position = pages.position(pages.rows.size - 1)


async def run_rows(
    tracking: Tracking, search: RowSearch, options: ScanOptions, columns: Iterable[str] = RUN_COLUMNS
) -> Chunks:
    """Yield active runs. Only what `columns` has is read; the rows may have more."""
    run_columns = RunColumns(tracking, columns)
    async for runs in run_pages(tracking, search, options, run_columns.stored):
        yield Table(runs.size, await run_columns.read(runs))


async def key_value_rows(
    tracking: Tracking,
    search: RowSearch,
    options: ScanOptions,
    columns: Iterable[str] = RUN_LABELS,
    *,
    kind: RunDataKind,
) -> Chunks:
    """Yield the data of one kind of active runs: `params`, `tags` or `metrics` (the last points).

    Names of runs and experiments are read only if `columns` has them.
    """
    keys = None if search.key is None else (search.key,)
    data_columns = _METRIC_COLUMNS if kind == "metrics" else _PAIR_COLUMNS
    labels = RunColumns(tracking, _labels(columns))
    async for runs in run_pages(tracking, search, options, _with_data(labels, kind, search.key)):
        data = await settled(run_data(tracking, runs, kind, keys))
        yield _labelled(await labels.read(runs), data.rows, data.spans, data_columns)


async def point_rows(
    tracking: Tracking, search: RowSearch, options: ScanOptions, columns: Iterable[str] = RUN_LABELS
) -> Chunks:
    """Yield the points of the metrics of active runs, without the first `skip` points.

    Skipped points are not read from a store that can count points. Names of runs and experiments are read
    only if `columns` has them.
    """
    keys = None if search.key is None else (search.key,)
    skip = options.skip
    labels = RunColumns(tracking, _labels(columns))
    async for runs in run_pages(tracking, search, options, _with_data(labels, "metrics", search.key)):
        metrics = await settled(run_data(tracking, runs, "metrics", keys))
        run_labels = await labels.read(runs)
        positions = {run_id: row for row, run_id in enumerate(runs["run_id"])}
        series = [
            (run_id, metrics.rows["key"][index])
            for run_id, (start, stop) in zip(runs["run_id"], metrics.spans, strict=True)
            for index in range(start, stop)
        ]
        async for points in scan_points(tracking, series, options.points_per_chunk, skip):
            if isinstance(points, int):
                skip -= points
                continue
            dropped = min(skip, points.size)
            skip -= dropped
            yield _with_labels(slice_rows(points, dropped, points.size), run_labels, positions)


async def run_pages(
    tracking: Tracking, search: RowSearch, options: ScanOptions, columns: frozenset[str]
) -> Chunks:
    """Yield active runs page by page, newest first.

    Raise `NotFound` if no experiment has the requested name, and `LimitExceeded` for a filter with more than
    `max_conditions` comparisons and after `max_runs` runs.
    """
    count_comparisons(search.filter, options.max_conditions)
    scope = await _scope(tracking, search.experiment)
    run_search = Search(filter=search.filter or None, where=_since(search.since))
    position, scanned = None, 0
    while True:
        page = Page(options.runs_per_chunk, position, columns)
        pages = await tracking.runs([scope], run_search, page)
        yield pages.rows
        scanned += pages.rows.size
        if not pages.has_next[0] or not pages.rows.size:
            return
        if options.max_runs is not None and scanned >= options.max_runs:
            message = (
                f"These rows are beyond the first {options.max_runs:,} runs, more than one request may read "
                "(GQL_MAX_SCANNED_RUNS). Request one experiment, add a filter, or download the table from "
                "/tables."
            )
            raise LimitExceeded(message)
        position = pages.position(pages.rows.size - 1)


async def read_window(chunks: AsyncIterator[Table], skip: int, first: int) -> Table:
    """Return `first` rows after the first `skip` rows. Read no chunk after the last of them."""
    parts: list[Table] = []
    async for chunk in chunks:
        start = min(skip, chunk.size)
        part = slice_rows(chunk, start, min(chunk.size, start + first))
        skip, first = skip - start, first - part.size
        parts.append(part)
        if first <= 0:
            break
    names = parts[0].columns if parts else ()
    joined = {name: [item for part in parts for item in part[name]] for name in names}
    return Table(sum(part.size for part in parts), joined)


def slice_rows(table: Table, start: int, stop: int) -> Table:
    """Return the rows `start:stop` of a table whose columns are leaves."""
    if start == 0 and stop == table.size:
        return table
    return Table(stop - start, {name: table[name][start:stop] for name in table.columns})


def _labels(columns: Iterable[str]) -> Iterable[str]:
    return {"run_id", "experiment_id", *columns}.intersection(RUN_LABELS)


def _with_data(labels: RunColumns, kind: RunDataKind, key: str | None) -> Columns:
    keys: dict[str, frozenset[str]] = {} if key is None else {kind: frozenset((key,))}
    return Columns({*labels.stored, kind}, keys)


def _labelled(
    labels: Mapping[str, Sequence[Any]], rows: Table, spans: Sequence[Span], columns: Sequence[str]
) -> Table:
    """Return the rows that belong to runs, with the labels of its run in each row."""
    joined: dict[str, list[Any]] = {name: [] for name in (*labels, *columns)}
    for run, (start, stop) in enumerate(spans):
        for name, column in labels.items():
            joined[name].extend(repeat(column[run], stop - start))
        for name in columns:
            joined[name].extend(rows[name][start:stop])
    return Table(len(joined["run_id"]), joined)


def _with_labels(points: Table, labels: Mapping[str, Sequence[Any]], positions: Mapping[str, int]) -> Table:
    """Return points with the labels of its run in each row; `positions` has the rows of the runs."""
    rows = [positions[run_id] for run_id in points["run_id"]]
    added = {name: list(map(column.__getitem__, rows)) for name, column in labels.items() if name != "run_id"}
    return Table(points.size, {**points.columns, **added})


def _since(since: int | None) -> Condition | None:
    if since is None:
        return None
    return AnyOf(
        (
            Predicate("attribute", "started_at", "gte", since),
            Predicate("attribute", "ended_at", "gte", since),
            Predicate("attribute", "status", "in", ("RUNNING", "SCHEDULED")),
        )
    )


async def _scope(tracking: Tracking, experiment: str | None) -> Scope:
    if experiment is None:
        return None
    result = await tracking.experiments_by_name([experiment], {"experiment_id"})
    index = result.index[0]
    if index is None:
        message = f"There is no experiment with the name {experiment!r}."
        raise NotFound(message)
    return (result.rows["experiment_id"][index],)
