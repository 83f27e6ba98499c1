"""Histories over a real MLflow server: equal to those read one by one, in far fewer calls."""

import math
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from mlflow.entities import Metric
from mlflow.utils.request_utils import _cached_get_request_session

from gql_server.stores.mlflow import bulk_histories
from gql_server.stores.mlflow.tracking import MlflowTracking
from schema.ports.errors import PublicError
from schema.ports.table import Many
from schema.ports.tracking import Series
from tests.support.limits import store_limits
from tests.support.stores import Store

BULK = "get_metric_history_bulk"
EACH = "get_metric_history"
_JSON = "application/json"


class Front:
    """A proxy before an MLflow server that answers for the bulk endpoint itself, and counts."""

    def __init__(self) -> None:
        self.uri = ""
        self.connections = 0
        self.answer: tuple[int, str, bytes] | None = None
        self.asked: Counter[str] = Counter()
        self.counting = threading.Lock()


@pytest.fixture
async def tracking(server_store: Store) -> AsyncIterator[MlflowTracking]:
    """Give the port over an MLflow server."""
    port = MlflowTracking(server_store.uri, store_limits(store_threads=4))
    yield port
    await port.close()


@pytest.fixture
def front(server_store: Store) -> Iterator[Front]:
    """Give a proxy before the MLflow server."""
    with _proxy(server_store.uri) as proxy:
        yield proxy


@pytest.fixture
async def behind(front: Front) -> AsyncIterator[MlflowTracking]:
    """Give the port over the proxy."""
    port = MlflowTracking(front.uri, store_limits(store_threads=4))
    yield port
    await port.close()


def logged(store: Store, histories: Sequence[dict[str, Sequence[tuple[int, int, float]]]]) -> list[str]:
    """Log a run for each of the histories, of which each key has (step, timestamp, value); return the ids."""

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


def line(count: int) -> list[tuple[int, int, float]]:
    """Return a plain history."""
    return [(step, 1000 + step, step / 8) for step in range(count)]


def rows(many: Many) -> list[list[tuple[Any, ...]]]:
    """Return each history, a tuple a point; by their text, in which 0.0, -0.0 and 0 are not the same."""
    columns = (many.rows[name] for name in ("step", "timestamp", "value", "non_finite"))
    table = [(step, time, repr(value), name) for step, time, value, name in zip(*columns, strict=True)]
    assert len(table) == many.rows.size
    return [table[start:stop] for start, stop in many.spans]


async def each(store: Store, series: Sequence[Series], *steps: int | None) -> list[list[tuple[Any, ...]]]:
    """Return the histories, each read by a call of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk_histories, "_MIN_RUNS", math.inf)
        port = MlflowTracking(store.uri, store_limits(store_threads=4))
        first, last = steps or (None, None)
        found = rows(await port.histories(series, first, last))
        assert set(port.calls) <= {EACH}
        await port.close()
    return found


@pytest.mark.parametrize("steps", [(None, None), (0, 2), (-5, None), (3, 1)])
async def test_odd_points_are_what_they_are_one_by_one(
    server_store: Store, tracking: MlflowTracking, steps: tuple[int | None, int | None]
) -> None:
    """Whatever was logged, under whatever key, reads alike in bulk; so do runs that are not there."""
    odd = [(0, 5, math.nan), (1, 5, math.inf), (2, 4, -math.inf), (-3, 9, 1e308), (2, 4, 7.0), (0, 5, -1.0)]
    same = [(0, 5, 3.0), (0, 5, -3.0), (0, 4, 0.0), (2**63 - 1, 1, 1e-320), (-(2**63), 2, 3)]
    keys = ["m", "a key/with. all-of_it", "größe", "loss:x"]
    ids = logged(
        server_store,
        [dict.fromkeys(keys, odd), {"m": same}, {}, {key: line(4) for key in keys}, {"größe": same}],
    )
    series = [(run_id, key) for key in [*keys, "none", "", "a\nb", "a&b=c+d"] for run_id in [*ids, "0" * 32]]
    series += series[:3]
    found = rows(await tracking.histories(series, *steps))
    assert found == await each(server_store, series, *steps)
    assert tracking.calls == {BULK: 6, EACH: 6}


async def test_a_hundred_runs_are_one_call(server_store: Store, tracking: MlflowTracking) -> None:
    """Of each key, a call reads a hundred runs, whether they have points or not."""
    ids = logged(server_store, [{"a": line(2), "b": line(1)} for _ in range(15)])
    ids += [f"{number:032x}" for number in range(195)]
    series = [(run_id, key) for run_id in ids for key in ("a", "b")]
    found = rows(await tracking.histories(series, None, None))
    assert [len(history) for history in found] == [2, 1] * 15 + [0] * 390
    assert tracking.calls == {BULK: 6}


@pytest.mark.parametrize(
    ("counts", "calls"),
    [
        pytest.param([10] * 12, {BULK: 3}, id="equal runs"),
        pytest.param([10] * 5, {BULK: 1, EACH: 1}, id="a full reply that lacks nothing"),
        pytest.param([60] * 4, {BULK: 1, EACH: 4}, id="each run fills one"),
        # Runs come by their ids, which are random: so how many calls it takes differs.
        pytest.param([1, 120, 3, 4, 0, 5], None, id="a run that fills a reply alone"),
    ],
)
async def test_what_a_full_reply_cut_is_asked_for_again(
    server_store: Store,
    tracking: MlflowTracking,
    monkeypatch: pytest.MonkeyPatch,
    counts: list[int],
    calls: dict[str, int] | None,
) -> None:
    """No point is lost where a reply ends at the server's limit, nor does anything come twice."""
    monkeypatch.setattr(bulk_histories, "_POINTS_PER_RESPONSE", 50)
    ids = logged(server_store, [{"m": line(count)} for count in counts])
    series = [(run_id, "m") for run_id in ids]
    found = rows(await tracking.histories(series, None, None))
    assert [len(history) for history in found] == counts
    assert found == await each(server_store, series)
    assert calls is None or tracking.calls == calls


@pytest.mark.parametrize(
    "answer",
    [
        (404, "text/plain", b"not found"),
        (404, _JSON, b'{"error_code": "ENDPOINT_NOT_FOUND"}'),
        (501, "text/plain", b""),
        (200, "text/html", b"<html>"),
        (200, _JSON, b"[]"),
    ],
)
async def test_a_server_without_the_endpoint_is_remembered(
    server_store: Store, front: Front, behind: MlflowTracking, answer: tuple[int, str, bytes]
) -> None:
    """It is asked once; then, and in later queries, the histories are read one by one."""
    front.answer = answer
    series = [(run_id, "m") for run_id in logged(server_store, [{"m": line(3)}] * 4)]
    expected = await each(server_store, series)
    for _ in range(2):
        assert rows(await behind.histories(series, None, None)) == expected
    assert behind.calls == {BULK: 1, EACH: 8}


async def test_a_server_that_learned_the_endpoint_is_noticed(
    server_store: Store, front: Front, behind: MlflowTracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is remembered of a server ends, and with it the slow way."""
    monkeypatch.setattr(bulk_histories, "_ABSENT_SECONDS", 0.0)
    front.answer = (404, "text/plain", b"")
    series = [(run_id, "m") for run_id in logged(server_store, [{"m": line(3)}] * 4)]
    first = rows(await behind.histories(series, None, None))
    front.answer = None
    assert rows(await behind.histories(series, None, None)) == first
    assert behind.calls == {BULK: 2, EACH: 4}


@pytest.mark.parametrize(
    "answer",
    [
        (404, _JSON, b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}'),
        (403, "text/plain", b"no"),
        (400, _JSON, b'{"error_code": "INVALID_PARAMETER_VALUE"}'),
        (500, "text/plain", b"oops"),
        (200, _JSON, b'{"metrics": [{"run_id": "x", "step": 1, "timestamp": 1, "value": 1}]}'),
        (200, _JSON, b'{"metrics": [{"run_id": "x"}]}'),
        (200, _JSON, b'{"metrics": [7]}'),
    ],
)
async def test_a_refusal_is_not_remembered(
    server_store: Store, front: Front, behind: MlflowTracking, answer: tuple[int, str, bytes]
) -> None:
    """What the endpoint refuses for some runs is read one by one; the next is asked of it again."""
    front.answer = answer
    series = [(run_id, "m") for run_id in logged(server_store, [{"m": line(3)}] * 3)]
    expected = await each(server_store, series)
    for _ in range(2):
        assert rows(await behind.histories(series, None, None)) == expected
    assert behind.calls == {BULK: 2, EACH: 6}


@pytest.mark.parametrize("status", [400, 414])
async def test_an_address_too_long_is_halved(
    server_store: Store, front: Front, behind: MlflowTracking, status: int
) -> None:
    """A server that reads only short addresses is asked for fewer runs at once."""
    front.answer = (status, "text/html", b"<h1>Line too long</h1>")
    series = [(run_id, "m") for run_id in logged(server_store, [{"m": line(3)}] * 8)]
    found = rows(await behind.histories(series, None, None))
    assert found == await each(server_store, series)
    assert behind.calls == {BULK: 3, EACH: 8}


async def test_connections_are_used_again(
    server_store: Store, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many calls there are, there is at most a connection for each thread."""
    # The first store of a process says how many connections MLflow keeps; here it is this one.
    monkeypatch.delenv("MLFLOW_HTTP_POOL_MAXSIZE", raising=False)
    _cached_get_request_session.cache_clear()
    behind = MlflowTracking(front.uri, store_limits(store_threads=4))
    # Before many threads at once, each of which would make MLflow's session if there were none yet.
    server_store.client.get_experiment("0")
    ids = logged(server_store, [{"m": line(1)}] * 3)
    for _ in range(3):
        await behind.histories([(run_id, f"m{number}") for run_id in ids for number in range(8)], None, None)
        await behind.histories([(run_id, "m") for run_id in ids[:2]], None, None)
    assert behind.calls == {BULK: 24, EACH: 6}
    assert sum(front.asked.values()) == 30
    assert front.connections <= 4
    await behind.close()


async def test_a_server_that_is_gone_is_a_fault() -> None:
    """Nothing else is tried where the server does not answer at all."""
    gone = MlflowTracking("http://127.0.0.1:9", store_limits(store_threads=4))
    with pytest.raises(PublicError, match="cannot be reached"):
        await gone.histories([(f"{number:032x}", "m") for number in range(9)], None, None)
    assert gone.calls == {BULK: 1}
    await gone.close()


@contextmanager
def _proxy(upstream: str) -> Iterator[Front]:
    front = Front()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            with front.counting:
                front.connections += 1
            super().setup()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            # A Counter lets other threads in where it has no number yet.
            with front.counting:
                front.asked[path] += 1
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if path.endswith("/get-history-bulk") and front.answer is not None:
                self._reply(*front.answer)
                return
            headers = {"Content-Type": self.headers.get("Content-Type", _JSON)}
            with requests.request(
                self.command, upstream + self.path, data=body, headers=headers, timeout=30
            ) as found:
                self._reply(found.status_code, found.headers["Content-Type"], found.content)

        do_POST = do_GET  # noqa: N815 - the name is http.server's

        def log_message(self, *_: Any) -> None:
            pass

        def _reply(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        front.uri = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield front
        finally:
            server.shutdown()
            thread.join()
