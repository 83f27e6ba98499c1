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

from schema.errors import BadUserInput
from schema.lifecycle import LifecycleView
from schema.store_kind import StoreKind
from schema.table import Column, Many, One, Span, Table
from schema.tracking import Page, Pages, Position, Scope, Search, Series

Record = dict[str, Any]

PAIR = ("key", "value")
METRIC = ("run_id", "key", "value", "non_finite", "step", "timestamp")
POINT = ("step", "timestamp", "value", "non_finite")
_WITHIN = {"params": PAIR, "tags": PAIR, "metrics": METRIC}


@dataclass
class MemoryTracking:
    """Experiments hold `tags` and `runs`; runs hold `params`, `tags` and `metrics`; metrics hold `points`.

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

    async def experiments(self, search: Search, page: Page) -> Pages:
        await self._called("experiments", search, page)
        return self._pages([_seen(self.stored, search.view)], page)

    async def count_experiments(self, search: Search) -> int | None:
        await self._called("count_experiments", search)
        return len(_seen(self.stored, search.view))

    async def experiments_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        await self._called("experiments_by_id", ids, columns)
        return self._look_up({record["experiment_id"]: record for record in self.stored}, ids, columns)

    async def experiments_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        await self._called("experiments_by_name", names, columns)
        return self._look_up({record["name"]: record for record in self.stored}, names, columns)

    async def experiment_tags(self, ids: Sequence[str], keys: Collection[str] | None) -> Many:
        await self._called("experiment_tags", ids, keys)
        known = {record["experiment_id"]: record for record in self.stored}
        return _many([_under(known[own]["tags"], keys) for own in ids], PAIR)

    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        await self._called("runs", scopes, search, page)
        return self._pages([_seen(self._in_scope(scope), search.view) for scope in scopes], page)

    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> Sequence[int | None]:
        await self._called("count_runs", scopes, search)
        return [len(_seen(self._in_scope(scope), search.view)) for scope in scopes]

    async def runs_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        await self._called("runs_by_id", ids, columns)
        return self._look_up(self._runs(), ids, columns)

    async def params(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        await self._called("params", run_ids, keys)
        return self._of_runs("params", run_ids, keys)

    async def tags(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        await self._called("tags", run_ids, keys)
        return self._of_runs("tags", run_ids, keys)

    async def metrics(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        await self._called("metrics", run_ids, keys)
        return self._of_runs("metrics", run_ids, keys)

    async def histories(self, series: Sequence[Series], from_step: int | None, to_step: int | None) -> Many:
        await self._called("histories", series, from_step, to_step)
        known = {
            (run_id, metric["key"]): metric["points"]
            for run_id, run in self._runs().items()
            for metric in run["metrics"]
        }
        return _many([_between(known[one], from_step, to_step) for one in series], POINT)

    async def ready(self) -> None:
        await self._called("ready")

    async def close(self) -> None:
        await self._called("close")

    async def _called(self, method: str, *arguments: Any) -> None:
        self.calls[method] += 1
        self.asked.append((method, *arguments))
        for _ in range(self.pauses.get(method, 0)):
            await asyncio.sleep(0)
        if method in self.failing:
            raise self.failing[method]

    def _runs(self) -> dict[str, Record]:
        return {run["run_id"]: run for experiment in self.stored for run in experiment["runs"]}

    def _in_scope(self, scope: Scope) -> list[Record]:
        wanted = [record for record in self.stored if scope is None or record["experiment_id"] in scope]
        return [run for record in wanted for run in record["runs"]]

    def _of_runs(self, kind: str, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        runs = self._runs()
        return _many([_under(runs[run_id][kind], keys) for run_id in run_ids], _WITHIN[kind])

    def _look_up(self, known: dict[str, Record], ids: Sequence[str], columns: Collection[str]) -> One:
        there = [own for own in dict.fromkeys(ids) if own in known]
        index = [there.index(own) if own in known else None for own in ids]
        return One(self._table([known[own] for own in there], columns), index)

    def _pages(self, found: Sequence[list[Record]], page: Page) -> Pages:
        start = 0 if page.after is None else _place(page.after)
        lists = [records[start : start + page.first] for records in found]
        spans = _spans(map(len, lists))

        def position(row: int) -> Position:
            return [start + next(row - first + 1 for first, stop in spans if first <= row < stop)]

        more = [len(records) > start + page.first for records in found]
        flat = [record for records in lists for record in records]
        return Pages(self._table(flat, page.columns), spans, more, position)

    def _table(self, records: Sequence[Record], columns: Collection[str]) -> Table:
        table: dict[str, Column] = {
            name: [record[name] for record in records] for name in columns if name not in _WITHIN
        }
        if self.along:
            for name in _WITHIN.keys() & columns:
                table[name] = _many([record[name] for record in records], _WITHIN[name])
        return Table(len(records), table)


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


def _under(records: list[Record], keys: Collection[str] | None) -> list[Record]:
    return [record for record in records if keys is None or record["key"] in keys]


def _between(points: list[Record], from_step: int | None, to_step: int | None) -> list[Record]:
    return [
        point
        for point in points
        if (from_step is None or point["step"] >= from_step) and (to_step is None or point["step"] <= to_step)
    ]


def _many(lists: Sequence[Sequence[Record]], names: Iterable[str]) -> Many:
    flat = [record for records in lists for record in records]
    table = Table(len(flat), {name: [record[name] for record in flat] for name in names})
    return Many(table, _spans(map(len, lists)))


def _spans(lengths: Iterable[int]) -> list[Span]:
    spans, start = [], 0
    for length in lengths:
        spans.append((start, start + length))
        start += length
    return spans
