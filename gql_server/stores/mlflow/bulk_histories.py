"""Histories of many runs from an MLflow server's bulk endpoint, in as few requests as it allows."""

import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from mlflow.exceptions import MlflowException
from mlflow.utils.rest_utils import http_request
from requests import Response
from requests.exceptions import RetryError

from gql_server.runtime.gather import gather_or_cancel
from gql_server.stores.mlflow.bulk_response import parse_rows, points_by_run
from gql_server.stores.mlflow.history_points import Points, sample_of_points
from gql_server.stores.mlflow.history_request import HistoryRequest
from gql_server.stores.mlflow.store_calls import StoreCalls
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Series

_PATH = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
_RUNS_PER_REQUEST = 100
_POINTS_PER_RESPONSE = 25_000
"""MLflow's limit for one response, across its runs; it applies even if more points are requested."""
_MIN_RUNS = 3
"""For fewer runs, concurrent requests for single histories are as fast."""
_ABSENT_SECONDS = 300.0
"""For this time no request is sent to an endpoint that the server does not have."""
_OK, _BAD_REQUEST, _NOT_FOUND, _NOT_ALLOWED, _URI_TOO_LONG, _NOT_IMPLEMENTED = 200, 400, 404, 405, 414, 501
_EMPTY = Points([], [], [], [])

ReadHistory = Callable[[Series, HistoryRequest], Awaitable[Points]]
"""Reads a single history."""


class _BulkResponse(NamedTuple):
    """The complete histories of a response, the number of points read, and whether it was truncated."""

    points: Mapping[str, Points]
    size: int
    truncated: bool


class _UriTooLongError(Exception):
    """The URI with all run ids is longer than the server accepts."""


class BulkHistories:
    """Reads the histories of a metric in up to 100 runs per request, or one by one with `read_history`.

    Histories are read one by one for few runs, for a run that fills a response alone, and after the endpoint
    refused or returned an unexpected response. A missing endpoint is not requested again for some minutes.
    """

    def __init__(self, calls: StoreCalls, kind: StoreKind, read_history: ReadHistory) -> None:
        self._calls = calls
        self._kind = kind
        self._read_history = read_history
        self._absent_until = 0.0

    async def read(self, series: Sequence[Series], request: HistoryRequest) -> Mapping[Series, Points]:
        """Return the requested points of each (run id, metric key)."""
        runs_by_key: dict[str, list[str]] = {}
        for run_id, key in series:
            runs_by_key.setdefault(key, []).append(run_id)
        return _merged(
            await gather_or_cancel(
                self._read_chunk(run_ids[start : start + _RUNS_PER_REQUEST], key, request)
                for key, run_ids in runs_by_key.items()
                for start in range(0, len(run_ids), _RUNS_PER_REQUEST)
            )
        )

    async def _read_chunk(
        self, run_ids: Sequence[str], key: str, request: HistoryRequest
    ) -> dict[Series, Points]:
        # Keys that are not printable are hard to encode in a URI, or a database refuses them.
        if len(run_ids) < _MIN_RUNS or not key.isprintable() or not key:
            return await self._read_each(run_ids, key, request)
        try:
            response = await self._calls.run(self._fetch, run_ids, key, request, reads=True)
        except _UriTooLongError:
            return await self._read_chunks(run_ids, key, request, (len(run_ids) + 1) // 2)
        if response is None:
            return await self._read_each(run_ids, key, request)
        points, size, truncated = response
        request.read_limit.add(size)
        request.returned_limit.add(sum(len(history.step) for history in points.values()))
        if not truncated:
            return {(run_id, key): points.get(run_id, _EMPTY) for run_id in run_ids}
        remaining = [run_id for run_id in run_ids if run_id not in points]
        # The number of runs that fitted this time will probably fit again, so the rest is read concurrently.
        chunk_size = len(points) or (len(remaining) + 1) // 2
        rest = await self._read_chunks(remaining, key, request, chunk_size)
        return rest | {(run_id, key): history for run_id, history in points.items()}

    async def _read_chunks(
        self, run_ids: Sequence[str], key: str, request: HistoryRequest, chunk_size: int
    ) -> dict[Series, Points]:
        starts = range(0, len(run_ids), chunk_size)
        chunks = (run_ids[start : start + chunk_size] for start in starts)
        return _merged(await gather_or_cancel(self._read_chunk(chunk, key, request) for chunk in chunks))

    async def _read_each(
        self, run_ids: Sequence[str], key: str, request: HistoryRequest
    ) -> dict[Series, Points]:
        series = [(run_id, key) for run_id in run_ids]
        histories = await gather_or_cancel(self._read_history(each, request) for each in series)
        return dict(zip(series, histories, strict=True))

    def _fetch(
        self, store: Any, run_ids: Sequence[str], key: str, request: HistoryRequest
    ) -> _BulkResponse | None:
        """Return the endpoint's response; None if it is not usable.

        It runs in a worker thread, so that a call that waited for a thread sees what other calls detected.
        """
        host_creds = getattr(store, "get_host_creds", None)
        if host_creds is None or time.monotonic() < self._absent_until:
            return None
        self._calls.count_call("get_metric_history_bulk")
        params = {"run_id": list(run_ids), "metric_key": key, "max_results": _POINTS_PER_RESPONSE}
        try:
            response = http_request(host_creds=host_creds(), endpoint=_PATH, method="GET", params=params)
        except MlflowException as error:
            # Every attempt got an error response; the endpoint for single histories may still work.
            if isinstance(error.__cause__ or error.__context__, RetryError):
                return None
            raise
        return self._parse(response, run_ids, request)

    def _parse(
        self, response: Response, run_ids: Collection[str], request: HistoryRequest
    ) -> _BulkResponse | None:
        if response.status_code != _OK:
            self._check_error(response)
            return None
        try:
            rows = parse_rows(response.content)
        except (ValueError, TypeError):
            self._mark_absent()
            return None
        truncated = len(rows) >= _POINTS_PER_RESPONSE
        try:
            last = rows[-1]["run_id"] if truncated else None
            complete = [row for row in rows if row["run_id"] != last] if truncated else rows
            points = points_by_run(complete, self._kind, request)
        except (ValueError, TypeError, KeyError):
            return None
        # A database with a case-insensitive collation may return the rows of a different id.
        if not (points.keys() <= set(run_ids) and last in {None, *run_ids}):
            return None
        size = sum(len(history.step) for history in points.values())
        if request.sample is not None:
            points = {run_id: sample_of_points(history, request.sample) for run_id, history in points.items()}
        return _BulkResponse(points, size, truncated)

    def _check_error(self, response: Response) -> None:
        """Mark a missing endpoint as absent; raise `_UriTooLongError` for a URI that is too long.

        Errors that concern the requested runs have no effect on later requests.
        """
        status, code = response.status_code, _error_code(response)
        if status == _URI_TOO_LONG or (status == _BAD_REQUEST and code is None):
            raise _UriTooLongError
        missing = {_NOT_FOUND, _NOT_ALLOWED, _NOT_IMPLEMENTED}
        if status in missing and code in {None, "ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED"}:
            self._mark_absent()

    def _mark_absent(self) -> None:
        self._absent_until = time.monotonic() + _ABSENT_SECONDS


def _merged(parts: Iterable[Mapping[Series, Points]]) -> dict[Series, Points]:
    return dict(chain.from_iterable(part.items() for part in parts))


def _error_code(response: Response) -> str | None:
    """Return MLflow's error code; None if the response is not MLflow's."""
    try:
        body = response.json()
    except ValueError:
        return None
    return body.get("error_code") if isinstance(body, dict) else None
