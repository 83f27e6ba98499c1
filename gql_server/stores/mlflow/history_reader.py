"""Histories of metrics from MLflow's store: from the bulk endpoint of a server, otherwise one by one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

from mlflow.entities import Metric
from mlflow.exceptions import MlflowException

from gql_server.runtime.gather import gather_or_cancel
from gql_server.stores.ids import check_run_ids
from gql_server.stores.mlflow.bulk_histories import BulkHistories
from gql_server.stores.mlflow.client_errors import code_of
from gql_server.stores.mlflow.history_points import (
    Points,
    array_from_metrics,
    points_from_metrics,
    sample_of_arrays,
)
from gql_server.stores.mlflow.history_request import HistoryRequest, PointLimit
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.paging import PageToken, token_text
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Series

_T = TypeVar("_T")
_POINTS_PER_PAGE = 25_000
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"}


class HistoryReader:
    """Reads histories through `calls`, at most `max_points_per_page` points of one history per call."""

    def __init__(self, calls: StoreCalls, kind: StoreKind, max_points_per_page: int) -> None:
        self._calls = calls
        self._kind = kind
        self._max_points_per_page = max_points_per_page
        self._bulk = BulkHistories(calls, kind, self._read_history)

    async def read(self, series: Sequence[Series], request: HistoryRequest) -> Mapping[Series, Points]:
        """Return the requested points of each (run id, metric key), in the port's order."""
        check_run_ids(run_id for run_id, _ in series)
        if self._kind is StoreKind.MLFLOW_SERVER:
            return await self._bulk.read(series, request)
        histories = await gather_or_cancel(self._read_history(each, request) for each in series)
        return dict(zip(series, histories, strict=True))

    async def _read_history(self, series: Series, request: HistoryRequest) -> Points:
        sample = request.sample
        if sample is None:
            pages = await self._read_pages(*series, request.read_limit, list[Metric])
            return points_from_metrics(chain.from_iterable(pages), self._kind, request)
        arrays = await self._read_pages(
            *series, request.read_limit, lambda page: array_from_metrics(page, self._kind, request)
        )
        points = await self._calls.run(lambda _: sample_of_arrays(arrays, sample))
        request.returned_limit.add(len(points.step))
        return points

    async def _read_pages(
        self, run_id: str, key: str, limit: PointLimit, convert: Callable[[Iterable[Metric]], _T]
    ) -> list[_T]:
        """Return all pages of a history, each converted in the thread that reads it."""
        parts: list[_T] = []
        token: PageToken = None
        # No metric has an empty key, and an MLflow server treats it as a missing parameter.
        while key:
            try:
                part, size, page_token = await self._calls.run(
                    self._read_page, convert, run_id, key, token, reads=True
                )
            except MlflowException as error:
                if self._is_missing_metric(error):
                    break
                raise
            limit.add(size)
            parts.append(part)
            next_token = token_text(page_token)
            if next_token is None or next_token == token:
                break
            token = next_token
        return parts

    def _read_page(
        self,
        store: Any,
        convert: Callable[[Iterable[Metric]], _T],
        run_id: str,
        key: str,
        token: PageToken,
    ) -> tuple[_T, int, Any]:
        self._calls.count_call("get_metric_history")
        max_results = min(_POINTS_PER_PAGE, self._max_points_per_page)
        page = store.get_metric_history(run_id, key, max_results, token)
        return convert(page), len(page), getattr(page, "token", None)

    def _is_missing_metric(self, error: MlflowException) -> bool:
        code = code_of(error)
        # A file store refuses a key that cannot be a file name; other stores return an empty history.
        return code in _ABSENT or (self._kind is StoreKind.FILE and code == "INVALID_PARAMETER_VALUE")
