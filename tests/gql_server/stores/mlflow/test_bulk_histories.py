"""Histories from the bulk endpoint of a real MLflow server, equal to those read one by one."""

import math
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from mlflow.entities import Metric
from mlflow.utils.request_utils import _cached_get_request_session

from gql_server.stores.mlflow import bulk_histories
from gql_server.stores.mlflow.tracking import MlflowTracking
from schema.ports.errors import PublicError
from schema.ports.table import Many
from schema.ports.tracking import Series
from tests.support.limits import store_limits
from tests.support.servers.history_proxy import JSON, HistoryProxy, serve_history_proxy
from tests.support.stores.store import Store

BULK = "get_metric_history_bulk"
EACH = "get_metric_history"


@pytest.fixture
async def tracking(server_store: Store) -> AsyncIterator[MlflowTracking]:
    """Yield the port over an MLflow server."""
    port = MlflowTracking(server_store.uri, store_limits(store_threads=4))
    yield port
    await port.close()


@pytest.fixture
def proxy(server_store: Store) -> Iterator[HistoryProxy]:
    """Yield a proxy of the MLflow server."""
    with serve_history_proxy(server_store.uri) as proxy:
        yield proxy


@pytest.fixture
async def proxied(proxy: HistoryProxy) -> AsyncIterator[MlflowTracking]:
    """Yield the port over the proxy."""
    port = MlflowTracking(proxy.uri, store_limits(store_threads=4))
    yield port
    await port.close()


def log_histories(
    store: Store, histories: Sequence[dict[str, Sequence[tuple[int, int, float]]]]
) -> list[str]:
    """Create one run for each mapping of keys to (step, timestamp, value) points; return the run ids."""

    def log(histories: dict[str, Sequence[tuple[int, int, float]]]) -> str:
        run_id: str = store.client.create_run("0").info.run_id
        metrics = [
            Metric(key, value, time, step)
            for key, points in histories.items()
            for step, time, value in points
        ]
        if metrics:
            store.client.log_batch(run_id, metrics)
        return run_id

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(log, histories))


def linear_history(count: int) -> list[tuple[int, int, float]]:
    """Return a history of increasing steps, timestamps and values."""
    return [(step, 1000 + step, step / 8) for step in range(count)]


def rows(many: Many) -> list[list[tuple[Any, ...]]]:
    """Return each history's points as tuples, with values as text, so that 0.0, -0.0 and 0 differ."""
    columns = (many.rows[name] for name in ("step", "timestamp", "value", "non_finite"))
    table = [(step, time, repr(value), name) for step, time, value, name in zip(*columns, strict=True)]
    assert len(table) == many.rows.size
    return [table[start:stop] for start, stop in many.spans]


async def read_each(
    store: Store, series: Sequence[Series], *steps: int | None
) -> list[list[tuple[Any, ...]]]:
    """Return the histories, each read with a separate call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk_histories, "_MIN_RUNS", math.inf)
        port = MlflowTracking(store.uri, store_limits(store_threads=4))
        first, last = steps or (None, None)
        result = rows(await port.histories(series, first, last))
        assert set(port.calls) <= {EACH}
        await port.close()
    return result


@pytest.mark.parametrize("steps", [(None, None), (0, 2), (-5, None), (3, 1)])
async def test_bulk_histories_equal_single_ones(
    server_store: Store, tracking: MlflowTracking, steps: tuple[int | None, int | None]
) -> None:
    """Unusual values, keys and missing runs give the same histories in bulk as one by one."""
    odd = [(0, 5, math.nan), (1, 5, math.inf), (2, 4, -math.inf), (-3, 9, 1e308), (2, 4, 7.0), (0, 5, -1.0)]
    same = [(0, 5, 3.0), (0, 5, -3.0), (0, 4, 0.0), (2**63 - 1, 1, 1e-320), (-(2**63), 2, 3)]
    keys = ["m", "a key/with. all-of_it", "größe", "loss:x"]
    ids = log_histories(
        server_store,
        [
            dict.fromkeys(keys, odd),
            {"m": same},
            {},
            {key: linear_history(4) for key in keys},
            {"größe": same},
        ],
    )
    series = [(run_id, key) for key in [*keys, "none", "", "a\nb", "a&b=c+d"] for run_id in [*ids, "0" * 32]]
    series += series[:3]
    result = rows(await tracking.histories(series, *steps))
    assert result == await read_each(server_store, series, *steps)
    assert tracking.calls == {BULK: 6, EACH: 6}


async def test_one_call_reads_a_hundred_runs(server_store: Store, tracking: MlflowTracking) -> None:
    """For each key, one call reads a hundred runs, with or without points."""
    ids = log_histories(server_store, [{"a": linear_history(2), "b": linear_history(1)} for _ in range(15)])
    ids += [f"{number:032x}" for number in range(195)]
    series = [(run_id, key) for run_id in ids for key in ("a", "b")]
    result = rows(await tracking.histories(series, None, None))
    assert [len(history) for history in result] == [2, 1] * 15 + [0] * 390
    assert tracking.calls == {BULK: 6}


@pytest.mark.parametrize(
    ("counts", "calls"),
    [
        pytest.param([10] * 12, {BULK: 3}, id="equal runs"),
        pytest.param([10] * 5, {BULK: 1, EACH: 1}, id="a full response that is complete"),
        pytest.param([60] * 4, {BULK: 1, EACH: 4}, id="each run fills a response"),
        # Rows are ordered by run id, which is random, so that the number of calls varies.
        pytest.param([1, 120, 3, 4, 0, 5], None, id="one run fills a response alone"),
    ],
)
async def test_truncated_response_is_completed(
    server_store: Store,
    tracking: MlflowTracking,
    monkeypatch: pytest.MonkeyPatch,
    counts: list[int],
    calls: dict[str, int] | None,
) -> None:
    """If a response is truncated at the server's limit, no point is lost or duplicated."""
    monkeypatch.setattr(bulk_histories, "_POINTS_PER_RESPONSE", 50)
    ids = log_histories(server_store, [{"m": linear_history(count)} for count in counts])
    series = [(run_id, "m") for run_id in ids]
    result = rows(await tracking.histories(series, None, None))
    assert [len(history) for history in result] == counts
    assert result == await read_each(server_store, series)
    assert calls is None or tracking.calls == calls


@pytest.mark.parametrize(
    "response",
    [
        (404, "text/plain", b"not found"),
        (404, JSON, b'{"error_code": "ENDPOINT_NOT_FOUND"}'),
        (501, "text/plain", b""),
        (200, "text/html", b"<html>"),
        (200, JSON, b"[]"),
    ],
)
async def test_missing_endpoint_is_requested_once(
    server_store: Store, proxy: HistoryProxy, proxied: MlflowTracking, response: tuple[int, str, bytes]
) -> None:
    """A missing endpoint is requested once; then and later, histories are read one by one."""
    proxy.response = response
    series = [(run_id, "m") for run_id in log_histories(server_store, [{"m": linear_history(3)}] * 4)]
    expected = await read_each(server_store, series)
    for _ in range(2):
        assert rows(await proxied.histories(series, None, None)) == expected
    assert proxied.calls == {BULK: 1, EACH: 8}


async def test_missing_endpoint_is_requested_again_later(
    server_store: Store, proxy: HistoryProxy, proxied: MlflowTracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some time, a missing endpoint is requested again."""
    monkeypatch.setattr(bulk_histories, "_ABSENT_SECONDS", 0.0)
    proxy.response = (404, "text/plain", b"")
    series = [(run_id, "m") for run_id in log_histories(server_store, [{"m": linear_history(3)}] * 4)]
    first = rows(await proxied.histories(series, None, None))
    proxy.response = None
    assert rows(await proxied.histories(series, None, None)) == first
    assert proxied.calls == {BULK: 2, EACH: 4}


@pytest.mark.parametrize(
    "response",
    [
        (404, JSON, b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}'),
        (403, "text/plain", b"no"),
        (400, JSON, b'{"error_code": "INVALID_PARAMETER_VALUE"}'),
        (500, "text/plain", b"oops"),
        (200, JSON, b'{"metrics": [{"run_id": "x", "step": 1, "timestamp": 1, "value": 1}]}'),
        (200, JSON, b'{"metrics": [{"run_id": "x"}]}'),
        (200, JSON, b'{"metrics": [7]}'),
    ],
)
async def test_refused_request_does_not_disable_the_endpoint(
    server_store: Store, proxy: HistoryProxy, proxied: MlflowTracking, response: tuple[int, str, bytes]
) -> None:
    """Histories that the endpoint refuses are read one by one; the next request uses the endpoint again."""
    proxy.response = response
    series = [(run_id, "m") for run_id in log_histories(server_store, [{"m": linear_history(3)}] * 3)]
    expected = await read_each(server_store, series)
    for _ in range(2):
        assert rows(await proxied.histories(series, None, None)) == expected
    assert proxied.calls == {BULK: 2, EACH: 6}


@pytest.mark.parametrize("status", [400, 414])
async def test_too_long_uri_is_split(
    server_store: Store, proxy: HistoryProxy, proxied: MlflowTracking, status: int
) -> None:
    """If the server refuses a long URI, fewer runs are requested at once."""
    proxy.response = (status, "text/html", b"<h1>Line too long</h1>")
    series = [(run_id, "m") for run_id in log_histories(server_store, [{"m": linear_history(3)}] * 8)]
    result = rows(await proxied.histories(series, None, None))
    assert result == await read_each(server_store, series)
    assert proxied.calls == {BULK: 3, EACH: 8}


async def test_connections_are_reused(
    server_store: Store, proxy: HistoryProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any number of calls use at most one connection per thread."""
    # The first store of a process sets the size of MLflow's connection pool; here it is this one.
    monkeypatch.delenv("MLFLOW_HTTP_POOL_MAXSIZE", raising=False)
    _cached_get_request_session.cache_clear()
    proxied = MlflowTracking(proxy.uri, store_limits(store_threads=4))
    # Create MLflow's session here; otherwise, several concurrent threads would create one each.
    server_store.client.get_experiment("0")
    ids = log_histories(server_store, [{"m": linear_history(1)}] * 3)
    for _ in range(3):
        await proxied.histories([(run_id, f"m{number}") for run_id in ids for number in range(8)], None, None)
        await proxied.histories([(run_id, "m") for run_id in ids[:2]], None, None)
    assert proxied.calls == {BULK: 24, EACH: 6}
    assert sum(proxy.requests.values()) == 30
    assert proxy.connections <= 4
    await proxied.close()


async def test_unreachable_server_raises_error() -> None:
    """If the server cannot be reached, no other endpoint is requested."""
    unreachable = MlflowTracking("http://127.0.0.1:9", store_limits(store_threads=4))
    with pytest.raises(PublicError, match="cannot be reached"):
        await unreachable.histories([(f"{number:032x}", "m") for number in range(9)], None, None)
    assert unreachable.calls == {BULK: 1}
    await unreachable.close()
