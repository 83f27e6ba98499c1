"""W1 to W3 over a SQL store: the server, the limit and a static route; its memory and its event loop."""

import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import orjson

from benchmarks.client import Client
from benchmarks.databases import Database
from benchmarks.dataset import run_id
from benchmarks.heartbeat import heartbeat
from benchmarks.limit import Limit
from benchmarks.memory import peak_above_idle, resident
from benchmarks.postgraphile.documents import LARGE, translated
from benchmarks.postgraphile.results import check_postgraphile
from benchmarks.process import Served, static_route
from benchmarks.report import Aim, Section, Table, ratio
from benchmarks.rounds import Timings, Variant, measure
from benchmarks.servers import Servers
from benchmarks.small_workloads import S1
from benchmarks.workload import Workload, workloads

_COLD_BOUNDS = {
    "SQLite": {"W1": 2.0, "W2": 1.5, "W2 as series": 1.3},
    "Postgres": {"W1": 1.25, "W2": 1.25, "W2 as series": 1.3, "W3": 1.5},
}
_HOT_BOUND = 3.0
_MEMORY_BOUND = 2.5
_GAP_BOUND = 50.0
_POSTGRAPHILE_BOUND = 0.5


def over_sql(database: Database, servers: Servers, directory: Path, rounds: int) -> Section:
    """Measure W1 to W3 over one database with a server that has had no request yet.

    Raises RuntimeError if a response does not equal the result of the limit.
    """
    measured = workloads(database.sizes)
    w2 = measured[1]
    served = servers.gql
    with ExitStack() as stack:
        limit = stack.enter_context(database.limit())
        results = {workload.name: limit.run(workload) for workload in measured}
        client = stack.enter_context(closing(Client(served.port)))
        # First, while the process has its initial size.
        memory = _memory(served, client, measured, rounds)
        check_results(client, measured, results)
        static = stack.enter_context(_static(results, directory))
        variants = {
            name: variant
            for workload in measured
            for name, variant in _variants(workload, limit, client, static).items()
        }
        if servers.postgraphile:
            other = stack.enter_context(closing(Client(servers.postgraphile.port)))
            variants |= _postgraphile_variants(measured, results, other)
        timings = measure(variants, rounds)
        gaps = [_gap(served, client, w2) for _ in range(rounds)]
    sizes = {name: len(result) for name, result in results.items()}
    tables = [
        _reads_table(database.kind, timings, sizes),
        _postgraphile_table(database.kind, timings),
        _costs_table(database.kind, memory, gaps, sizes),
    ]
    return Section(
        [table for table in tables if table], _aims(database.kind, timings, memory[0] / sizes["W2"], gaps)
    )


def check_results(client: Client, measured: list[Workload], results: dict[str, bytes]) -> None:
    """Raise RuntimeError unless the response to each workload, cold and hot, equals the limit's result."""
    client.connect()
    for workload in measured:
        expected = orjson.loads(results[workload.name])
        for send in (client.cold, client.hot, client.hot):
            response = orjson.loads(send(workload))
            if response != expected:
                errors = response.get("errors", "no errors")
                message = (
                    f"{workload.name}: the response differs from the result of the limit; errors: {errors}"
                )
                raise RuntimeError(message)


def _variants(workload: Workload, limit: Limit, client: Client, static: Client) -> dict[str, Variant]:
    route = f"/{workload.name}".replace(" ", "-")
    return {
        f"{workload.name} limit": Variant(partial(limit.run, workload)),
        f"{workload.name} cold": Variant(partial(client.cold, workload), client.connect),
        f"{workload.name} static": Variant(partial(static.post, route, workload.body), static.connect),
        f"{workload.name} hot": Variant(partial(client.hot, workload), partial(client.prime, workload)),
    }


def _postgraphile_variants(
    measured: list[Workload], results: dict[str, bytes], client: Client
) -> dict[str, Variant]:
    variants = {}
    for workload in measured:
        if workload.name in LARGE:
            check_postgraphile(workload, client, orjson.loads(results[workload.name])["data"])
            send = partial(client.hot, translated(workload))
            variants[f"{workload.name} PostGraphile"] = Variant(send, client.connect)
    return variants


@contextmanager
def _static(results: dict[str, bytes], directory: Path) -> Iterator[Client]:
    files = directory / "responses"
    files.mkdir(exist_ok=True)
    for name, result in results.items():
        (files / f"{name.replace(' ', '-')}.json").write_bytes(result)
    with static_route(files, directory) as served, closing(Client(served.port)) as client:
        yield client


def _memory(served: Served, client: Client, measured: Sequence[Workload], rounds: int) -> tuple[int, int]:
    """Return the highest peak of memory during a response to W2, and the growth after all, in bytes."""
    _, w2, _, w3 = measured
    # A server in use has its modules, its connections, its threads and the page cache in memory already.
    for earlier in (Workload("S1", S1, {"id": run_id(0, 0)}), w3):
        client.cold(earlier)
    before = resident(served.pid)
    peak = max(peak_above_idle(served.pid, partial(client.cold, w2)) for _ in range(rounds))
    return peak, resident(served.pid) - before


def _gap(served: Served, client: Client, w2: Workload) -> float:
    client.connect()
    return heartbeat(served.port, partial(client.cold, w2)).longest_gap * 1000


def _reads_table(kind: str, timings: dict[str, Timings], sizes: dict[str, int]) -> Table:
    rows = []
    for name, size in sizes.items():
        limit, cold, static, hot = (
            timings[f"{name} {variant}"] for variant in ("limit", "cold", "static", "hot")
        )
        to_limit, to_static = ratio(cold.median / limit.median), ratio(hot.median / static.median)
        rows.append([name, f"{size:,}", limit, cold, to_limit, static, hot, to_static])
    header = ["", "bytes", "limit", "cold", "cold / limit", "static route", "hot", "hot / static"]
    return Table(f"W1 to W3 over {kind}", header, rows)


def _postgraphile_table(kind: str, timings: dict[str, Timings]) -> Table | None:
    rows = [
        [name, other, timings[f"{name} cold"], ratio(timings[f"{name} cold"].median / other.median)]
        for name in LARGE
        if (other := timings.get(f"{name} PostGraphile"))
    ]
    header = ["", "PostGraphile", "cold", "cold / PostGraphile"]
    return Table(f"W1 to W3 over {kind} beside PostGraphile", header, rows) if rows else None


def _costs_table(kind: str, memory: tuple[int, int], gaps: list[float], sizes: dict[str, int]) -> Table:
    (peak, growth), size = memory, sizes["W2"]
    rows = [
        ["peak memory of one response, above idle", f"{peak / 1e6:,.0f} MB", f"{peak / size:.1f} responses"],
        [
            "memory after all responses, one of them cached, above idle",
            f"{growth / 1e6:,.0f} MB",
            f"{growth / size:.1f} responses",
        ],
        ["longest time without a response of /healthz", f"{statistics.median(gaps):.0f} ms", _span(gaps)],
    ]
    return Table(f"During W2 over {kind}", ["", "", ""], rows)


def _span(numbers: list[float]) -> str:
    return f"{min(numbers):.0f} to {max(numbers):.0f} ms"


def _aims(kind: str, timings: dict[str, Timings], memory: float, gaps: list[float]) -> list[Aim]:
    def compare(name: str, one: str, other: str) -> float:
        return timings[f"{name} {one}"].median / timings[f"{name} {other}"].median

    series, history = (timings[f"{name} cold"].median for name in ("W2 as series", "W2"))
    return [
        *(
            Aim(f"{name} cold / limit, {kind}", compare(name, "cold", "limit"), bound)
            for name, bound in _COLD_BOUNDS[kind].items()
        ),
        Aim(f"W2 as series cold / limit of W2, {kind}", series / timings["W2 limit"].median, 1.3),
        Aim(f"W2 as series / W2 as history, {kind}", series / history, 1.0),
        Aim(f"W1 hot / static route, {kind}", compare("W1", "hot", "static"), _HOT_BOUND),
        Aim(f"peak memory of W2 above idle / size of its response, {kind}", memory, _MEMORY_BOUND),
        Aim(f"longest gap of /healthz during W2, {kind}", statistics.median(gaps), _GAP_BOUND, " ms"),
        *(
            Aim(f"{name} cold / PostGraphile", compare(name, "cold", "PostGraphile"), _POSTGRAPHILE_BOUND)
            for name in LARGE
            if f"{name} PostGraphile" in timings
        ),
    ]
