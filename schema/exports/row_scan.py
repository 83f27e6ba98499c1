"""Flat rows: what is tracked as tables, each walked a bounded part at a time, over any store.

Rows come in the order of runs (newest first), then by key, then by step, timestamp and value; what is there
throughout comes exactly once. A part takes a number of store calls that does not depend on its rows.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

from schema.exports.point_scan import flat_points
from schema.ports.condition import PARENT_TAG, AnyOf, Condition, Predicate
from schema.ports.errors import LimitExceeded, NotFound
from schema.ports.filter_string import count_comparisons
from schema.ports.table import Many, Span, Table
from schema.ports.tracking import Page, Scope, Search, Tracking
from schema.types.key_values import all_of

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
PAIR_COLUMNS: Final = ("run_id", "experiment_id", "key", "value")
POINT_COLUMNS: Final = (*PAIR_COLUMNS, "non_finite", "step", "timestamp")

RUNS_AT_ONCE: Final = 500
"""The runs of one part: enough that calls cost little, few enough that what they logged fits in memory."""
POINTS_AT_ONCE: Final = 50_000
"""The points of one part: 10 MB as Python's numbers."""

Chunks = AsyncGenerator[Table, None]


@dataclass(frozen=True, slots=True)
class RowSearch:
    """Which rows: those of one experiment's runs by its name, of runs that match a filter, under one key.

    `since` leaves out runs that ended before it, in milliseconds; of experiments, those not changed since.
    MLflow notes no time of change on runs, so what ended and was changed later is left out too.
    """

    experiment: str | None = None
    filter: str | None = None
    key: str | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """How to walk: at most so many runs at once and in all (None: whatever there is), and rows to skip.

    A filter may make `most_conditions` comparisons.
    """

    runs_at_once: int = RUNS_AT_ONCE
    points_at_once: int = POINTS_AT_ONCE
    most_runs: int | None = None
    skip: int = 0
    most_conditions: int = 500


async def experiment_rows(tracking: Tracking, asked: RowSearch, walk: ScanOptions) -> Chunks:
    """Give experiments, in the order of the graph's own."""
    where = None if asked.since is None else Predicate("attribute", "updated_at", "gte", asked.since)
    search = Search(where=where)
    position = None
    while True:
        page = Page(walk.runs_at_once, position, frozenset(EXPERIMENT_COLUMNS))
        pages = await tracking.experiments(search, page)
        yield _only(pages.rows, EXPERIMENT_COLUMNS)
        if not pages.has_next[0] or not pages.rows.size:
            return
        position = pages.position(pages.rows.size - 1)


async def run_rows(
    tracking: Tracking, asked: RowSearch, walk: ScanOptions, columns: Iterable[str] = RUN_COLUMNS
) -> Chunks:
    """Give runs; the names of their experiments and their parents are asked for where they are wanted."""
    wanted = frozenset(columns)
    needed = {
        "run_id",
        "experiment_id",
        "name",
        "status",
        "lifecycle_stage",
        "user_id",
        "started_at",
        "ended_at",
    }
    needed |= {"tags"} if "parent_run_id" in wanted else set()
    names: dict[str, str] = {}
    async for runs in run_pages(tracking, asked, walk, frozenset(needed)):
        table: dict[str, Any] = {name: runs[name] for name in needed - {"name", "tags"}}
        table["run_name"] = runs["name"]
        table["duration_seconds"] = list(map(_seconds, runs["started_at"], runs["ended_at"]))
        if "experiment_name" in wanted:
            await _learn(tracking, names, runs["experiment_id"])
            table["experiment_name"] = [names.get(own, "") for own in runs["experiment_id"]]
        if "parent_run_id" in wanted:
            tags = await logged(tracking, runs, "tags", (PARENT_TAG,))
            table["parent_run_id"] = [
                tags.rows["value"][start] if stop > start else None for start, stop in tags.spans
            ]
        yield Table(runs.size, table)


async def pair_rows(tracking: Tracking, asked: RowSearch, walk: ScanOptions, kind: str) -> Chunks:
    """Give params, tags or last metrics, as `kind` says, of runs."""
    keys = None if asked.key is None else (asked.key,)
    async for runs in run_pages(tracking, asked, walk, frozenset({"run_id", "experiment_id", kind})):
        found = await logged(tracking, runs, kind, keys)
        columns = POINT_COLUMNS if kind == "metrics" else PAIR_COLUMNS
        yield _under_runs(runs, found.rows, found.spans, columns)


async def point_rows(tracking: Tracking, asked: RowSearch, walk: ScanOptions) -> Chunks:
    """Give the points of histories; where the store counts them, those to skip are not read."""
    keys = None if asked.key is None else (asked.key,)
    skip = walk.skip
    async for runs in run_pages(tracking, asked, walk, frozenset({"run_id", "experiment_id", "metrics"})):
        metrics = await logged(tracking, runs, "metrics", keys)
        experiments = dict(zip(runs["run_id"], runs["experiment_id"], strict=True))
        series = [
            (run_id, metrics.rows["key"][place])
            for run_id, (start, stop) in zip(runs["run_id"], metrics.spans, strict=True)
            for place in range(start, stop)
        ]
        async for points in flat_points(tracking, series, walk.points_at_once, skip):
            if isinstance(points, int):
                skip -= points
                continue
            dropped = min(skip, points.size)
            skip -= dropped
            yield _with_experiments(sliced(points, dropped, points.size), experiments)


async def run_pages(
    tracking: Tracking, asked: RowSearch, walk: ScanOptions, columns: frozenset[str]
) -> Chunks:
    """Give runs page by page, newest first. Raises NotFound where no experiment has the name."""
    count_comparisons(asked.filter, walk.most_conditions)
    scope = await _scope(tracking, asked.experiment)
    search = Search(filter=asked.filter or None, where=_since(asked.since))
    position, walked = None, 0
    while True:
        pages = await tracking.runs([scope], search, Page(walk.runs_at_once, position, columns))
        yield pages.rows
        walked += pages.rows.size
        if not pages.has_next[0] or not pages.rows.size:
            return
        if walk.most_runs is not None and walked >= walk.most_runs:
            message = (
                f"These rows lie behind {walk.most_runs:,} runs, more than one request reads "
                "(GQL_MAX_SCANNED_RUNS); ask for one experiment, by a filter, or for the table at /tables."
            )
            raise LimitExceeded(message)
        position = pages.position(pages.rows.size - 1)


async def window(chunks: AsyncIterator[Table], skip: int, first: int) -> Table:
    """Return the rows from `skip` on, `first` of them, and walk no further than to the last."""
    parts: list[Table] = []
    async for chunk in chunks:
        start = min(skip, chunk.size)
        part = sliced(chunk, start, min(chunk.size, start + first))
        skip, first = skip - start, first - part.size
        parts.append(part)
        if first <= 0:
            break
    names = parts[0].columns if parts else ()
    joined = {name: [item for part in parts for item in part[name]] for name in names}
    return Table(sum(part.size for part in parts), joined)


def sliced(table: Table, start: int, stop: int) -> Table:
    """Return some of the rows of a table of leaves."""
    if start == 0 and stop == table.size:
        return table
    return Table(stop - start, {name: table[name][start:stop] for name in table.columns})


async def logged(tracking: Tracking, runs: Table, kind: str, keys: Sequence[str] | None) -> Many:
    """Return what runs logged, which the store may have brought along with them."""
    read: Callable[..., Any] = getattr(tracking, kind)
    return await all_of(
        runs, kind, None if keys is None else list(keys), lambda some: read(runs["run_id"], some)
    )


def _under_runs(runs: Table, rows: Table, spans: Sequence[Span], columns: Sequence[str]) -> Table:
    own = [name for name in columns if name not in {"run_id", "experiment_id"}]
    joined: dict[str, list[Any]] = {name: [] for name in columns}
    for run_id, experiment_id, (start, stop) in zip(
        runs["run_id"], runs["experiment_id"], spans, strict=True
    ):
        joined["run_id"].extend(repeat(run_id, stop - start))
        joined["experiment_id"].extend(repeat(experiment_id, stop - start))
        for name in own:
            joined[name].extend(rows[name][start:stop])
    return Table(len(joined["run_id"]), joined)


def _with_experiments(points: Table, experiments: dict[str, str]) -> Table:
    return Table(
        points.size, {**points.columns, "experiment_id": [experiments[run_id] for run_id in points["run_id"]]}
    )


def _only(table: Table, names: Sequence[str]) -> Table:
    return Table(table.size, {name: table[name] for name in names})


def _seconds(start: int | None, end: int | None) -> float | None:
    return None if start is None or end is None else (end - start) / 1000


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


async def _scope(tracking: Tracking, name: str | None) -> Scope:
    if name is None:
        return None
    found = await tracking.experiments_by_name([name], {"experiment_id"})
    place = found.index[0]
    if place is None:
        message = f"There is no experiment by the name {name!r}."
        raise NotFound(message)
    return (found.rows["experiment_id"][place],)


async def _learn(tracking: Tracking, names: dict[str, str], ids: Sequence[str]) -> None:
    unknown = [own for own in dict.fromkeys(ids) if own not in names]
    if unknown:
        found = await tracking.experiments_by_id(unknown, {"experiment_id", "name"})
        places = zip(unknown, found.index, strict=True)
        names |= {own: found.rows["name"][place] for own, place in places if place is not None}
