"""The port over MLflow's own stores: whatever MLflow opens, read by its own code in worker threads."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from gql_server.tracking import paging, records
from gql_server.tracking.bulk_points import Budget, Steps, joined
from gql_server.tracking.faults import fault_of
from gql_server.tracking.lazy_store import LazyStore
from gql_server.tracking.opening import set_http_defaults
from gql_server.tracking.port_call import port_call, too_slow
from gql_server.tracking.store_calls import StoreCalls
from gql_server.tracking.store_reader import StoreReader
from gql_server.tracking.unusable import Unusable
from gql_server.tracking.uri import kind_of, shown
from schema.errors import Fault, Forbidden, Unauthenticated
from schema.store_kind import StoreKind
from schema.table import Many, One, Span
from schema.tracking import Page, Pages, Position, Scope, Search, Series


class MlflowTracking:
    """A tracking store of MLflow's; it costs nothing until it is used.

    It opens with the first call, and after a failure with a later one. `threads` bounds the calls at once,
    `timeout` is in seconds for each call of the port, `max_scanned_runs` bounds what is gone through to
    count; `create` makes a SQLite file or a folder that is not there yet.
    """

    def __init__(
        self,
        uri: str,
        *,
        threads: int = 16,
        timeout: float = 30.0,
        max_scanned_runs: int = 100_000,
        max_points: int = 2_000_000,
        create: bool = False,
    ) -> None:
        self.timeout = timeout
        self._uri = uri
        self._kind = kind_of(uri)
        self._max_points = max_points
        self._calls = StoreCalls(LazyStore(uri, create=create), threads)
        self._reader = StoreReader(self._calls, self._kind, max_scanned_runs)
        if self._kind not in {StoreKind.SQL, StoreKind.FILE}:
            set_http_defaults(threads, timeout)

    @property
    def kind(self) -> StoreKind:
        """Say which family the store is of."""
        return self._kind

    @property
    def calls(self) -> Counter[str]:
        """Return how often each method of MLflow's store was called."""
        return self._calls.counts

    async def open(self) -> None:
        """Open the store and ask it something, at the server's start.

        Raises `Unusable` where the URI has to be changed or the store mended first, and `StoreUnavailable`
        or `StoreTimeout` where it may come up by itself.
        """
        try:
            async with asyncio.timeout(self.timeout):
                await self._calls.open()
            await self.ready()
        except TimeoutError as error:
            raise too_slow(self.timeout) from error
        except (Unauthenticated, Forbidden) as fault:
            message = f"{shown(self._uri)}: {fault}"
            raise Unusable(message) from fault
        except (Unusable, Fault):
            raise
        except Exception as error:
            raise fault_of(error) or error from error

    @port_call
    async def ready(self) -> None:
        """Return when the store answers; raise the fault that says why it does not."""
        await self._calls.one("search_experiments", max_results=1)

    async def close(self) -> None:
        """Let go of connections and threads; the store is not used afterwards."""
        await self._calls.close()

    @port_call
    async def experiments(self, search: Search, page: Page) -> Pages:
        """Return one page of experiments."""
        ask = self._reader.experiment_search(search)
        found = await paging.read(ask, page.first, page.after, self._kind)
        rows = records.experiment_table(found.rows, page.columns)
        return Pages(rows, [(0, rows.size)], [found.has_next], found.places.__getitem__)

    @port_call
    async def count_experiments(self, search: Search) -> int | None:
        """Count the matching experiments; None where that passes the scan limit."""
        return await self._reader.count(self._reader.experiment_search(search))

    @port_call
    async def experiments_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look experiments up, deleted ones too."""
        found = await self._reader.experiments(ids)
        return One(records.experiment_table(list(found.values()), columns), _index(found, ids))

    @port_call
    async def experiments_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        """Look experiments up by their exact names, deleted ones too."""
        found = await self._reader.experiments_named(names)
        return One(records.experiment_table(list(found.values()), columns), _index(found, names))

    @port_call
    async def experiment_tags(self, ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the tags of each experiment by key; all of them, or those under the keys given."""
        found = await self._reader.experiments(ids)
        return records.experiment_tags_of((found.get(experiment_id) for experiment_id in ids), keys)

    @port_call
    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        """Return the first runs of each scope."""
        found = await self._reader.each_scope(
            scopes, search, lambda ask: paging.read(ask, page.first, page.after, self._kind)
        )
        runs: list[Any] = []
        places: list[Position] = []
        spans: dict[Scope, Span] = {}
        for scope, part in found.items():
            start = len(runs)
            if part is not None:
                runs.extend(part.rows)
                places.extend(part.places)
            spans[scope] = (start, len(runs))
        more = {scope: part is not None and part.has_next for scope, part in found.items()}
        return Pages(
            rows=records.run_table(runs, page.columns, self._kind),
            spans=[spans[scope] for scope in scopes],
            has_next=[more[scope] for scope in scopes],
            position=places.__getitem__,
        )

    @port_call
    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> Sequence[int | None]:
        """Count the matching runs of each scope; None where that passes the scan limit."""
        found = await self._reader.each_scope(scopes, search, self._count)
        return [0 if (total := found[scope]) is None else total[0] for scope in scopes]

    @port_call
    async def runs_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look runs up, deleted ones too."""
        found = await self._reader.runs(ids)
        return One(records.run_table(list(found.values()), columns, self._kind), _index(found, ids))

    @port_call
    async def params(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the params of each run by key; all of them, or those under the keys given."""
        found = await self._reader.runs(run_ids)
        return records.params_of((found.get(run_id) for run_id in run_ids), keys)

    @port_call
    async def tags(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the tags of each run by key; all of them, or those under the keys given."""
        found = await self._reader.runs(run_ids)
        return records.tags_of((found.get(run_id) for run_id in run_ids), keys)

    @port_call
    async def metrics(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the last value of each metric of each run by key; all, or those under the keys given."""
        found = await self._reader.runs(run_ids)
        return records.metrics_of((found.get(run_id) for run_id in run_ids), self._kind, keys)

    @port_call
    async def histories(self, series: Sequence[Series], from_step: int | None, to_step: int | None) -> Many:
        """Return the points of each metric by step and timestamp, both ends of the steps included."""
        distinct = list(dict.fromkeys(series))
        found = await self._reader.histories(distinct, Steps(from_step, to_step, Budget(self._max_points)))
        points = joined(found[one] for one in distinct)
        spans = dict(zip(distinct, points.spans, strict=True))
        return Many(points.rows, [spans[one] for one in series])

    async def _count(self, ask: paging.Search) -> tuple[int | None]:
        # In a tuple, since None already says that the scope holds no experiment at all.
        return (await self._reader.count(ask),)


def _index(found: Collection[str], keys: Sequence[str]) -> list[int | None]:
    places = {key: place for place, key in enumerate(found)}
    return [places.get(key) for key in keys]
