"""The tracking port over plain records in memory, for tests of the graph without MLflow.

Its methods can fail or pause, and its records can have values that no real store has, such as null in a
required column. Filters and orders are recorded in `requests` and otherwise ignored.
"""

# ruff: noqa: D102 - the port documents the methods

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from schema.ports.artifacts import ArtifactStore
from schema.ports.columns import keys_of
from schema.ports.condition import PARENT_TAG
from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.long_histories import PointPosition
from schema.ports.models import ModelStore
from schema.ports.point_feed import SeriesStates
from schema.ports.registry import RegistryStore
from schema.ports.store_info import StoreInfo
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
from tests.support.schema import memory_ports

Record = dict[str, Any]

KEY_VALUE = ("key", "value")
METRIC = ("run_id", "key", "value", "non_finite", "step", "timestamp")
POINT = ("step", "timestamp", "value", "non_finite")
DATASET = ("name", "digest", "source_type", "source", "schema", "profile", "context")
ALIAS = ("alias", "version")
RELATED = {"params": KEY_VALUE, "tags": KEY_VALUE, "metrics": METRIC, "datasets": DATASET, "aliases": ALIAS}


@dataclass
class MemoryTracking:
    """Experiments have `tags`, `runs` and `models`, runs have their logged data, and metrics have `points`.

    `failing` has the exception that each method raises, `pauses` the number of turns of the event loop before
    each method returns. With `include_related`, pages and lookups include the requested tags, params and
    metrics under the requested keys. `calls` counts the calls of each method, and `requests` has their
    arguments.
    """

    stored: list[Record]
    kind: StoreKind = StoreKind.OTHER
    store_info: StoreInfo = field(default_factory=lambda: StoreInfo(None, ()))
    failing: dict[str, Exception] = field(default_factory=dict)
    pauses: dict[str, int] = field(default_factory=dict)
    include_related: bool = False
    calls: Counter[str] = field(default_factory=Counter)
    requests: list[tuple[Any, ...]] = field(default_factory=list)
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
        await self.record_call("experiments", search, page)
        return self.pages([_in_view(self.stored, search.view)], page)

    async def count_experiments(self, search: Search) -> int | None:
        await self.record_call("count_experiments", search)
        return len(_in_view(self.stored, search.view))

    async def experiments_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        await self.record_call("experiments_by_id", ids, columns)
        return self.look_up({record["experiment_id"]: record for record in self.stored}, ids, columns)

    async def experiments_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        await self.record_call("experiments_by_name", names, columns)
        return self.look_up({record["name"]: record for record in self.stored}, names, columns)

    async def experiment_tags(self, ids: Sequence[str], keys: Collection[str] | None) -> Many:
        await self.record_call("experiment_tags", ids, keys)
        known = {record["experiment_id"]: record for record in self.stored}
        return many([with_keys(known[id_]["tags"], keys) for id_ in ids], KEY_VALUE)

    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        await self.record_call("runs", scopes, search, page)
        return self.pages([_in_view(self._in_scope(scope), search.view) for scope in scopes], page)

    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> Sequence[int | None]:
        await self.record_call("count_runs", scopes, search)
        return [len(_in_view(self._in_scope(scope), search.view)) for scope in scopes]

    async def run_groups(self, scope: ExperimentScope, search: Search, grouping: Grouping) -> Groups:
        await self.record_call("run_groups", scope, search, grouping)
        runs = _in_view(self._in_scope(scope), search.view)
        groups: dict[tuple[Any, ...], list[Record]] = {} if grouping.by else {(): []}
        for run in runs:
            groups.setdefault(tuple(_value_of(run, key) for key in grouping.by), []).append(run)
        statistics = {"count": 1, "min": 0.0, "max": 1.0, "mean": 0.5, "stddev": None}
        names = grouping.metrics or ()
        metrics = many([[{"key": name} | statistics for name in names] for _ in groups], ("key", *statistics))
        return Groups(list(groups), [len(group) for group in groups.values()], metrics)

    async def logged_keys(
        self, by: LoggedKind, experiment_ids: Sequence[str]
    ) -> Sequence[Sequence[str] | None]:
        await self.record_call("logged_keys", by, experiment_ids)
        return [
            sorted({pair["key"] for run in self._in_scope((id_,)) for pair in run[f"{by}s"]})
            for id_ in experiment_ids
        ]

    async def runs_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        await self.record_call("runs_by_id", ids, columns)
        return self.look_up(self.all_runs(), ids, columns)

    async def params(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        await self.record_call("params", run_ids, keys)
        return self._of_runs("params", run_ids, keys)

    async def tags(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        await self.record_call("tags", run_ids, keys)
        return self._of_runs("tags", run_ids, keys)

    async def metrics(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        await self.record_call("metrics", run_ids, keys)
        return self._of_runs("metrics", run_ids, keys)

    async def histories(
        self,
        series: Sequence[Series],
        from_step: int | None,
        to_step: int | None,
        sample: Sample | None = None,
    ) -> Many:
        await self.record_call("histories", series, from_step, to_step, sample)
        known = {
            (run_id, metric["key"]): metric["points"]
            for run_id, run in self.all_runs().items()
            for metric in run["metrics"]
        }
        histories = (_in_steps(known.get(one, []), from_step, to_step) for one in series)
        return many([_sampled(points, sample) if sample else points for points in histories], POINT)

    async def count_points(self, series: Sequence[Series]) -> Sequence[int] | None:
        await self.record_call("count_points", series)
        histories = await self.histories(series, None, None)
        return [stop - start for start, stop in histories.spans]

    async def points_after(self, series: Series, after: PointPosition | None, first: int) -> Table:
        await self.record_call("points_after", series, after, first)
        rows = (await self.histories([series], None, None)).rows
        positions = list(zip(rows["step"], rows["timestamp"], rows["value"], strict=True))
        start = 0 if after is None else positions.index(after) + 1
        columns = {name: rows[name][start : start + first] for name in POINT}
        return Table(len(columns["step"]), {**columns, "stored": columns["value"]})

    async def series_states(self, run_ids: Sequence[str], keys: Collection[str] | None) -> SeriesStates:
        await self.record_call("series_states", run_ids, keys)
        return SeriesStates({}, {}, counted=False)

    async def points_from(self, series: Mapping[Series, int | None]) -> Many:
        await self.record_call("points_from", series)
        return await self.histories(list(series), None, None)

    async def info(self) -> StoreInfo:
        await self.record_call("info")
        return self.store_info

    async def ready(self) -> None:
        await self.record_call("ready")

    async def close(self) -> None:
        await self.record_call("close")

    async def record_call(self, method: str, *arguments: Any) -> None:
        self.calls[method] += 1
        self.requests.append((method, *arguments))
        for _ in range(self.pauses.get(method, 0)):
            await asyncio.sleep(0)
        if method in self.failing:
            raise self.failing[method]

    def all_runs(self) -> dict[str, Record]:
        return {run["run_id"]: run for experiment in self.stored for run in experiment["runs"]}

    def _in_scope(self, scope: Scope) -> list[Record]:
        if isinstance(scope, Children):
            return self._children(scope)
        experiments = [record for record in self.stored if scope is None or record["experiment_id"] in scope]
        return [run for record in experiments for run in record["runs"]]

    def _children(self, scope: Children) -> list[Record]:
        parent = {"key": PARENT_TAG, "value": scope.run_id}
        return [run for run in self._in_scope((scope.experiment_id,)) if parent in run["tags"]]

    def _of_runs(self, kind: str, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        runs = self.all_runs()
        return many([with_keys(runs[run_id][kind], keys) for run_id in run_ids], RELATED[kind])

    def look_up(self, known: dict[Any, Record], ids: Sequence[Any], columns: Collection[str]) -> One:
        existing = [id_ for id_ in dict.fromkeys(ids) if id_ in known]
        index = [existing.index(id_) if id_ in known else None for id_ in ids]
        return One(self.table([known[id_] for id_ in existing], columns), index)

    def pages(self, matching: Sequence[list[Record]], page: Page) -> Pages:
        start = 0 if page.after is None else _offset(page.after)
        lists = [records[start : start + page.first] for records in matching]
        spans = _spans(map(len, lists))

        def position(row: int) -> Position:
            return [start + next(row - first + 1 for first, stop in spans if first <= row < stop)]

        has_next = [len(records) > start + page.first for records in matching]
        flat = [record for records in lists for record in records]
        return Pages(self.table(flat, page.columns), spans, has_next, position)

    def table(self, records: Sequence[Record], columns: Collection[str]) -> Table:
        table: dict[str, Column] = {
            name: [record[name] for record in records] for name in columns if name not in RELATED
        }
        if self.include_related:
            for name in RELATED.keys() & columns:
                keys = keys_of(columns, name)
                related = many([with_keys(record[name], keys) for record in records], RELATED[name])
                table[name] = replace(related, keys=keys)
        return Table(len(records), table)


def _value_of(run: Record, key: GroupBy) -> Any:
    if key.by == "attribute":
        return run[key.key]
    return next((pair["value"] for pair in run[f"{key.by}s"] if pair["key"] == key.key), None)


def _offset(position: Position) -> int:
    match position:
        case [int(start)] if start >= 0:
            return start
    message = "after is not a position in this store."
    raise BadUserInput(message)


def _in_view(records: list[Record], view: LifecycleView) -> list[Record]:
    if view is LifecycleView.ALL:
        return records
    deleted = view is LifecycleView.DELETED
    return [record for record in records if (record["lifecycle_stage"] == "DELETED") is deleted]


def with_keys(records: list[Record], keys: Collection[str] | None) -> list[Record]:
    """Return the records with these keys; None selects all."""
    return [record for record in records if keys is None or record["key"] in keys]


def _in_steps(points: list[Record], from_step: int | None, to_step: int | None) -> list[Record]:
    return [
        point
        for point in points
        if (from_step is None or point["step"] >= from_step) and (to_step is None or point["step"] <= to_step)
    ]


def _sampled(points: list[Record], sample: Sample) -> list[Record]:
    """Return points at even distances, with any sampling method."""
    last = len(points) - 1
    if last < sample.max_points:
        return points
    return [points[number * last // (sample.max_points - 1)] for number in range(sample.max_points)]


def many(lists: Sequence[Sequence[Record]], names: Iterable[str]) -> Many:
    """Return the lists of all parents as one table with these columns."""
    flat = [record for records in lists for record in records]
    table = Table(len(flat), {name: [record[name] for record in flat] for name in names})
    return Many(table, _spans(map(len, lists)))


def _spans(lengths: Iterable[int]) -> list[Span]:
    spans, start = [], 0
    for length in lengths:
        spans.append((start, start + length))
        start += length
    return spans
