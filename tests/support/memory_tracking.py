"""A store in memory, for tests of the graph alone: the port over plain records, without any MLflow.

It can be told to fail or to take its time, and to hold values that no real store has, such as a null where
there must be none. Filters and orders are noted in `asked` and otherwise ignored: records stay as stored.
"""

# ruff: noqa: D102 - the port says what its methods do

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from schema.ports.artifacts import ArtifactStore
from schema.ports.condition import PARENT_TAG
from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.long_histories import PointPosition
from schema.ports.models import ModelStore
from schema.ports.registry import RegistryStore
from schema.ports.store_kind import StoreKind
from schema.ports.table import Column, Many, One, Span, Table
from schema.ports.tracking import (
    Children,
    ExperimentScope,
    GroupBy,
    Grouping,
    Groups,
    LoggedKind,
    Page,
    Pages,
    Position,
    Sample,
    Scope,
    Search,
    Series,
)
from tests.support import memory_ports

Record = dict[str, Any]

PAIR = ("key", "value")
METRIC = ("run_id", "key", "value", "non_finite", "step", "timestamp")
POINT = ("step", "timestamp", "value", "non_finite")
DATASET = ("name", "digest", "source_type", "source", "schema", "profile", "context")
ALIAS = ("alias", "version")
WITHIN = {"params": PAIR, "tags": PAIR, "metrics": METRIC, "datasets": DATASET, "aliases": ALIAS}


@dataclass
class MemoryTracking:
    """Experiments hold `tags`, `runs` and `models`; runs hold what was logged to them; metrics hold `points`.

    A method named in `failing` raises, one named in `pauses` first lets the event loop turn so many times.
    With `along`, pages and look-ups bring tags, params and metrics with them where they were asked for.
    """

    stored: list[Record]
    kind: StoreKind = StoreKind.OTHER
    failing: dict[str, Exception] = field(default_factory=dict)
    pauses: dict[str, int] = field(default_factory=dict)
    along: bool = False
    calls: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    registered: list[Record] = field(default_factory=list)

    @property
    def models(self) -> ModelStore:
        return memory_ports.MemoryModels(self)

    @property
    def registry(self) -> RegistryStore:
        return memory_ports.MemoryRegistry(self)

    @property
    def artifacts(self) -> ArtifactStore:
        return memory_ports.MemoryArtifacts(self)

    async def experiments(self, search: Search, page: Page) -> Pages:
        await self.called("experiments", search, page)
        return self.pages([_seen(self.stored, search.view)], page)

    async def count_experiments(self, search: Search) -> int | None:
        await self.called("count_experiments", search)
        return len(_seen(self.stored, search.view))

    async def experiments_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        await self.called("experiments_by_id", ids, columns)
        return self.look_up({record["experiment_id"]: record for record in self.stored}, ids, columns)

    async def experiments_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        await self.called("experiments_by_name", names, columns)
        return self.look_up({record["name"]: record for record in self.stored}, names, columns)

    async def experiment_tags(self, ids: Sequence[str], keys: Collection[str] | None) -> Many:
        await self.called("experiment_tags", ids, keys)
        known = {record["experiment_id"]: record for record in self.stored}
        return many([under(known[own]["tags"], keys) for own in ids], PAIR)

    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        await self.called("runs", scopes, search, page)
        return self.pages([_seen(self._in_scope(scope), search.view) for scope in scopes], page)

    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> Sequence[int | None]:
        await self.called("count_runs", scopes, search)
        return [len(_seen(self._in_scope(scope), search.view)) for scope in scopes]

    async def run_groups(self, scope: ExperimentScope, search: Search, grouping: Grouping) -> Groups:
        await self.called("run_groups", scope, search, grouping)
        found = _seen(self._in_scope(scope), search.view)
        groups: dict[tuple[Any, ...], list[Record]] = {} if grouping.by else {(): []}
        for run in found:
            groups.setdefault(tuple(_value_of(run, key) for key in grouping.by), []).append(run)
        spread = {"count": 1, "min": 0.0, "max": 1.0, "mean": 0.5, "stddev": None}
        names = grouping.metrics or ()
        metrics = many([[{"key": name} | spread for name in names] for _ in groups], ("key", *spread))
        return Groups(list(groups), [len(runs) for runs in groups.values()], metrics)

    async def logged_keys(self, by: LoggedKind, experiment_ids: Sequence[str]) -> Sequence[Sequence[str]]:
        await self.called("logged_keys", by, experiment_ids)
        return [
            sorted({pair["key"] for run in self._in_scope((own,)) for pair in run[f"{by}s"]})
            for own in experiment_ids
        ]

    async def runs_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        await self.called("runs_by_id", ids, columns)
        return self.look_up(self.all_runs(), ids, columns)

    async def params(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        await self.called("params", run_ids, keys)
        return self._of_runs("params", run_ids, keys)

    async def tags(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        await self.called("tags", run_ids, keys)
        return self._of_runs("tags", run_ids, keys)

    async def metrics(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        await self.called("metrics", run_ids, keys)
        return self._of_runs("metrics", run_ids, keys)

    async def histories(
        self,
        series: Sequence[Series],
        from_step: int | None,
        to_step: int | None,
        sample: Sample | None = None,
    ) -> Many:
        await self.called("histories", series, from_step, to_step, sample)
        known = {
            (run_id, metric["key"]): metric["points"]
            for run_id, run in self.all_runs().items()
            for metric in run["metrics"]
        }
        found = (_between(known.get(one, []), from_step, to_step) for one in series)
        return many([_thinned(points, sample) if sample else points for points in found], POINT)

    async def count_points(self, series: Sequence[Series]) -> Sequence[int] | None:
        await self.called("count_points", series)
        found = await self.histories(series, None, None)
        return [stop - start for start, stop in found.spans]

    async def points_after(self, series: Series, after: PointPosition | None, first: int) -> Table:
        await self.called("points_after", series, after, first)
        found = await self.histories([series], None, None)
        places = list(zip(found.rows["step"], found.rows["timestamp"], found.rows["value"], strict=True))
        start = 0 if after is None else places.index(after) + 1
        columns = {name: found.rows[name][start : start + first] for name in POINT}
        return Table(len(columns["step"]), {**columns, "stored": columns["value"]})

    async def ready(self) -> None:
        await self.called("ready")

    async def close(self) -> None:
        await self.called("close")

    async def called(self, method: str, *arguments: Any) -> None:
        self.calls[method] += 1
        self.asked.append((method, *arguments))
        for _ in range(self.pauses.get(method, 0)):
            await asyncio.sleep(0)
        if method in self.failing:
            raise self.failing[method]

    def all_runs(self) -> dict[str, Record]:
        return {run["run_id"]: run for experiment in self.stored for run in experiment["runs"]}

    def _in_scope(self, scope: Scope) -> list[Record]:
        if isinstance(scope, Children):
            return self._children(scope)
        wanted = [record for record in self.stored if scope is None or record["experiment_id"] in scope]
        return [run for record in wanted for run in record["runs"]]

    def _children(self, scope: Children) -> list[Record]:
        parent = {"key": PARENT_TAG, "value": scope.run_id}
        return [run for run in self._in_scope((scope.experiment_id,)) if parent in run["tags"]]

    def _of_runs(self, kind: str, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        runs = self.all_runs()
        return many([under(runs[run_id][kind], keys) for run_id in run_ids], WITHIN[kind])

    def look_up(self, known: dict[Any, Record], ids: Sequence[Any], columns: Collection[str]) -> One:
        there = [own for own in dict.fromkeys(ids) if own in known]
        index = [there.index(own) if own in known else None for own in ids]
        return One(self.table([known[own] for own in there], columns), index)

    def pages(self, found: Sequence[list[Record]], page: Page) -> Pages:
        start = 0 if page.after is None else _place(page.after)
        lists = [records[start : start + page.first] for records in found]
        spans = _spans(map(len, lists))

        def position(row: int) -> Position:
            return [start + next(row - first + 1 for first, stop in spans if first <= row < stop)]

        more = [len(records) > start + page.first for records in found]
        flat = [record for records in lists for record in records]
        return Pages(self.table(flat, page.columns), spans, more, position)

    def table(self, records: Sequence[Record], columns: Collection[str]) -> Table:
        table: dict[str, Column] = {
            name: [record[name] for record in records] for name in columns if name not in WITHIN
        }
        if self.along:
            for name in WITHIN.keys() & columns:
                table[name] = many([record[name] for record in records], WITHIN[name])
        return Table(len(records), table)


def _value_of(run: Record, key: GroupBy) -> Any:
    if key.by == "attribute":
        return run[key.key]
    return next((pair["value"] for pair in run[f"{key.by}s"] if pair["key"] == key.key), None)


def _place(position: Position) -> int:
    match position:
        case [int(start)] if start >= 0:
            return start
    message = "after is not a place in this store."
    raise BadUserInput(message)


def _seen(records: list[Record], view: LifecycleView) -> list[Record]:
    if view is LifecycleView.ALL:
        return records
    deleted = view is LifecycleView.DELETED
    return [record for record in records if (record["lifecycle_stage"] == "DELETED") is deleted]


def under(records: list[Record], keys: Collection[str] | None) -> list[Record]:
    """Return what stands under the keys; all of it where there are none."""
    return [record for record in records if keys is None or record["key"] in keys]


def _between(points: list[Record], from_step: int | None, to_step: int | None) -> list[Record]:
    return [
        point
        for point in points
        if (from_step is None or point["step"] >= from_step) and (to_step is None or point["step"] <= to_step)
    ]


def _thinned(points: list[Record], sample: Sample) -> list[Record]:
    """Return points at even distances, however they should be chosen."""
    last = len(points) - 1
    if last < sample.max_points:
        return points
    return [points[number * last // (sample.max_points - 1)] for number in range(sample.max_points)]


def many(lists: Sequence[Sequence[Record]], names: Iterable[str]) -> Many:
    """Return the lists of all parents with these columns."""
    flat = [record for records in lists for record in records]
    table = Table(len(flat), {name: [record[name] for record in flat] for name in names})
    return Many(table, _spans(map(len, lists)))


def _spans(lengths: Iterable[int]) -> list[Span]:
    spans, start = [], 0
    for length in lengths:
        spans.append((start, start + length))
        start += length
    return spans
