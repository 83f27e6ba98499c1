"""Flat rows of experiments, runs and their data, read from any store in chunks of limited size.

Rows are in the order of runs (newest first), then of keys, then of step, timestamp and value. A row that
exists during the whole scan is returned exactly once. The number of store calls of a chunk does not depend on
its number of rows.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

from schema.exports.point_scan import scan_points
from schema.ports.columns import Columns
from schema.ports.condition import PARENT_TAG, AnyOf, Condition, Predicate
from schema.ports.errors import LimitExceeded, NotFound
from schema.ports.filter_string import count_comparisons
from schema.ports.milliseconds import seconds_between
from schema.ports.related_rows import RunDataKind, run_data, run_values, settled
from schema.ports.table import Span, Table
from schema.ports.tracking import Page, Scope, Search, Tracking

EXPERIMENT_COLUMNS: Final = ("experiment_id", "name", "lifecycle_stage", "created_at", "updated_at")
RUN_COLUMNS: Final = (
    "run_id",
    "experiment_id",
    "experiment_name",
    "run_name",
    "status",
    "lifecycle_stage",
    "user_id",
    "started_at",
    "ended_at",
    "duration_seconds",
    "parent_run_id",
)
KEY_VALUE_COLUMNS: Final = ("run_id", "experiment_id", "key", "value")
POINT_COLUMNS: Final = (*KEY_VALUE_COLUMNS, "non_finite", "step", "timestamp")

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
    """Yield active runs. Names of experiments and ids of parents are read only if `columns` has them."""
    requested = frozenset(columns)
    stored = {
        "run_id",
        "experiment_id",
        "name",
        "status",
        "lifecycle_stage",
        "user_id",
        "started_at",
        "ended_at",
    }
    parent = {"tags": frozenset((PARENT_TAG,))} if "parent_run_id" in requested else {}
    names: dict[str, str] = {}
    async for runs in run_pages(tracking, search, options, Columns(stored.union(parent), parent)):
        table: dict[str, Any] = {name: runs[name] for name in stored - {"name"}}
        table["run_name"] = runs["name"]
        table["duration_seconds"] = seconds_between(runs["started_at"], runs["ended_at"])
        if "experiment_name" in requested:
            await _read_names(tracking, names, runs["experiment_id"])
            table["experiment_name"] = [names.get(id_, "") for id_ in runs["experiment_id"]]
        if "parent_run_id" in requested:
            table["parent_run_id"] = await settled(run_values(tracking, runs, "tags", PARENT_TAG))
        yield Table(runs.size, table)


async def key_value_rows(
    tracking: Tracking, search: RowSearch, options: ScanOptions, kind: RunDataKind
) -> Chunks:
    """Yield the data of one kind of active runs: `params`, `tags` or `metrics` (the last points)."""
    keys = None if search.key is None else (search.key,)
    columns = POINT_COLUMNS if kind == "metrics" else KEY_VALUE_COLUMNS
    async for runs in run_pages(tracking, search, options, _with_data(kind, search.key)):
        data = await settled(run_data(tracking, runs, kind, keys))
        yield _with_run_ids(runs, data.rows, data.spans, columns)


async def point_rows(tracking: Tracking, search: RowSearch, options: ScanOptions) -> Chunks:
    """Yield the points of the metrics of active runs, without the first `skip` points.

    Skipped points are not read from a store that can count points.
    """
    keys = None if search.key is None else (search.key,)
    skip = options.skip
    async for runs in run_pages(tracking, search, options, _with_data("metrics", search.key)):
        metrics = await settled(run_data(tracking, runs, "metrics", keys))
        experiments = dict(zip(runs["run_id"], runs["experiment_id"], strict=True))
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
            yield _with_experiment_ids(slice_rows(points, dropped, points.size), experiments)


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


def _with_data(kind: RunDataKind, key: str | None) -> Columns:
    keys: dict[str, frozenset[str]] = {} if key is None else {kind: frozenset((key,))}
    return Columns(("run_id", "experiment_id", kind), keys)


def _with_run_ids(runs: Table, rows: Table, spans: Sequence[Span], columns: Sequence[str]) -> Table:
    """Return the rows that belong to runs, with the run's id and its experiment's id in each row."""
    joined: dict[str, list[Any]] = {name: [] for name in columns}
    data_columns = [name for name in columns if name not in {"run_id", "experiment_id"}]
    for run_id, experiment_id, (start, stop) in zip(
        runs["run_id"], runs["experiment_id"], spans, strict=True
    ):
        joined["run_id"].extend(repeat(run_id, stop - start))
        joined["experiment_id"].extend(repeat(experiment_id, stop - start))
        for name in data_columns:
            joined[name].extend(rows[name][start:stop])
    return Table(len(joined["run_id"]), joined)


def _with_experiment_ids(points: Table, experiments: dict[str, str]) -> Table:
    ids = [experiments[run_id] for run_id in points["run_id"]]
    return Table(points.size, {**points.columns, "experiment_id": ids})


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


async def _read_names(tracking: Tracking, names: dict[str, str], ids: Sequence[str]) -> None:
    """Add the names of the experiments with these ids to `names`."""
    missing = [id_ for id_ in dict.fromkeys(ids) if id_ not in names]
    if missing:
        result = await tracking.experiments_by_id(missing, {"experiment_id", "name"})
        indexes = zip(missing, result.index, strict=True)
        names |= {id_: result.rows["name"][index] for id_, index in indexes if index is not None}
