"""Histories of many runs from an MLflow server, in as few calls as its bulk endpoint lets one make."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from mlflow.exceptions import MlflowException
from mlflow.utils.rest_utils import http_request
from requests import Response
from requests.exceptions import RetryError

from gql_server.stores.mlflow.bulk_points import HistoryRequest, Points, by_run, rows_of, sample_of
from gql_server.stores.mlflow.store_calls import StoreCalls, together
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Series

_PATH = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
_RUNS_AT_ONCE = 100
_POINTS_AT_ONCE = 25_000
"""MLflow's own limit of one reply, across its runs; it holds even where more is asked for."""
_FEWEST_RUNS = 3
"""Of fewer runs, calls for each at once are as good."""
_ABSENT_SECONDS = 300.0
"""So long a server without the endpoint is not asked for it again."""
_OK, _BAD, _NOT_FOUND, _NOT_ALLOWED, _TOO_LONG, _NOT_IMPLEMENTED = 200, 400, 404, 405, 414, 501
_EMPTY = Points([], [], [], [])


class _Reply(NamedTuple):
    """The complete histories of a reply, how many points were read for them, and whether it was cut."""

    points: Mapping[str, Points]
    size: int
    cut: bool


class _TooLongError(Exception):
    """The address with all run ids in it is longer than the server reads."""


class BulkHistories:
    """Reads the histories of a key in up to 100 runs at once; `one` is the way to read a single history.

    That way is taken for few runs, for a run that fills a reply alone, and wherever the endpoint refuses or
    answers something else. A server that does not have it is remembered for some minutes.
    """

    def __init__(
        self, calls: StoreCalls, kind: StoreKind, one: Callable[[Series, HistoryRequest], Awaitable[Points]]
    ) -> None:
        self._calls = calls
        self._kind = kind
        self._one = one
        self._absent_until = 0.0

    async def read(self, series: Sequence[Series], steps: HistoryRequest) -> Mapping[Series, Points]:
        """Return all points of each (run id, metric key) between two steps."""
        runs_of: dict[str, list[str]] = {}
        for run_id, key in series:
            runs_of.setdefault(key, []).append(run_id)
        parts = await _all(
            self._chunk(run_ids[start : start + _RUNS_AT_ONCE], key, steps)
            for key, run_ids in runs_of.items()
            for start in range(0, len(run_ids), _RUNS_AT_ONCE)
        )
        return dict(chain.from_iterable(part.items() for part in parts))

    async def _chunk(self, run_ids: Sequence[str], key: str, steps: HistoryRequest) -> dict[Series, Points]:
        # What is not printable is hard to put in an address, or a database refuses it.
        if len(run_ids) < _FEWEST_RUNS or not key.isprintable() or not key:
            return await self._each(run_ids, key, steps)
        try:
            found = await self._calls.apply(self._ask, run_ids, key, steps, reads=True)
        except _TooLongError:
            return await self._chunks(run_ids, key, steps, (len(run_ids) + 1) // 2)
        if found is None:
            return await self._each(run_ids, key, steps)
        points, size, cut = found
        steps.reading.spend(size)
        steps.keeping.spend(sum(len(history.step) for history in points.values()))
        if not cut:
            return {(run_id, key): points.get(run_id, _EMPTY) for run_id in run_ids}
        rest = [run_id for run_id in run_ids if run_id not in points]
        # As many runs as fitted this time will mostly fit again: the rest does not wait for one another.
        size = len(points) or (len(rest) + 1) // 2
        parts = await self._chunks(rest, key, steps, size)
        return parts | {(run_id, key): found for run_id, found in points.items()}

    async def _chunks(
        self, run_ids: Sequence[str], key: str, steps: HistoryRequest, size: int
    ) -> dict[Series, Points]:
        starts = range(0, len(run_ids), size)
        parts = await _all(self._chunk(run_ids[start : start + size], key, steps) for start in starts)
        return dict(chain.from_iterable(part.items() for part in parts))

    async def _each(self, run_ids: Sequence[str], key: str, steps: HistoryRequest) -> dict[Series, Points]:
        series = [(run_id, key) for run_id in run_ids]
        found = await _all(self._one(one, steps) for one in series)
        return dict(zip(series, found, strict=True))

    def _ask(self, store: Any, run_ids: Sequence[str], key: str, steps: HistoryRequest) -> _Reply | None:
        """Return what a reply holds; None for no use of it.

        It runs in a worker thread, where a call that waited sees what another has learned.
        """
        creds = getattr(store, "get_host_creds", None)
        if creds is None or time.monotonic() < self._absent_until:
            return None
        self._calls.count("get_metric_history_bulk")
        params = {"run_id": list(run_ids), "metric_key": key, "max_results": _POINTS_AT_ONCE}
        try:
            response = http_request(host_creds=creds(), endpoint=_PATH, method="GET", params=params)
        except MlflowException as error:
            # The server did answer, each time with an error: its other endpoint may still serve.
            if isinstance(error.__cause__ or error.__context__, RetryError):
                return None
            raise
        return self._read(response, run_ids, steps)

    def _read(self, response: Response, asked: Collection[str], steps: HistoryRequest) -> _Reply | None:
        if response.status_code != _OK:
            self._learn(response)
            return None
        try:
            rows = rows_of(response.content)
        except (ValueError, TypeError):
            self._forget_for_now()
            return None
        cut = len(rows) >= _POINTS_AT_ONCE
        try:
            last = rows[-1]["run_id"] if cut else None
            found = by_run([row for row in rows if row["run_id"] != last] if cut else rows, self._kind, steps)
        except (ValueError, TypeError, KeyError):
            return None
        # A database that takes small and capital letters for the same may answer under another id.
        if not (found.keys() <= set(asked) and last in {None, *asked}):
            return None
        size = sum(len(history.step) for history in found.values())
        if steps.sample is not None:
            found = {run_id: sample_of(history, steps.sample) for run_id, history in found.items()}
        return _Reply(found, size, cut)

    def _learn(self, response: Response) -> None:
        """See why there is no answer; what is refused for its runs alone says nothing of the next."""
        status, code = response.status_code, _code_of(response)
        if status == _TOO_LONG or (status == _BAD and code is None):
            raise _TooLongError
        missing = {_NOT_FOUND, _NOT_ALLOWED, _NOT_IMPLEMENTED}
        if status in missing and code in {None, "ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED"}:
            self._forget_for_now()

    def _forget_for_now(self) -> None:
        self._absent_until = time.monotonic() + _ABSENT_SECONDS


async def _all(answers: Any) -> Sequence[Any]:
    return await together([asyncio.ensure_future(answer) for answer in answers])


def _code_of(response: Response) -> str | None:
    """Return MLflow's name for what went wrong; None where something else than MLflow speaks."""
    try:
        body = response.json()
    except ValueError:
        return None
    return body.get("error_code") if isinstance(body, dict) else None
