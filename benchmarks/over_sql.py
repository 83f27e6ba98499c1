"""W1 to W4 over a SQL store: the server beside the limit and the static route; memory and event loop."""

import statistics
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import orjson

from benchmarks.client import Client
from benchmarks.databases import Database
from benchmarks.dataset import run_id
from benchmarks.heartbeat import longest_gap
from benchmarks.limit import Limit
from benchmarks.load import throughput
from benchmarks.memory import peak_above_idle, resident
from benchmarks.process import Served, static_route
from benchmarks.report import Aim, Section, Table, ratio
from benchmarks.rounds import Contender, Sample, measure
from benchmarks.workload import Workload, one_run, workloads

CONNECTIONS = 32
_NO_CACHE = {"Cache-Control": "no-cache"}
_COLD_BOUNDS = {"W1": 2.0, "W2": 1.5, "W2 as series": 1.3}
_HOT_BOUND = 3.0
_MEMORY_BOUND = 4.0
_GAP_BOUND = 50.0


def over_sql(database: Database, served: Served, directory: Path, rounds: int, requests: int) -> Section:
    """Measure W1 to W4 over one database, which `served` serves and nobody has asked yet.

    Raises RuntimeError where an answer is not the limit's.
    """
    asked = workloads(database.sizes)
    with ExitStack() as stack:
        limit = stack.enter_context(database.limit())
        answers = {workload.name: limit.answer(workload) for workload in asked}
        client = stack.enter_context(closing(Client(served.port)))
        # First of all, while the process has grown by nothing yet.
        memory = _memory(served, client, asked[1], rounds)
        check_answers(client, asked, answers)
        static = stack.enter_context(_static(answers, directory))
        samples = measure(
            {
                name: contender
                for workload in asked
                for name, contender in _contenders(workload, limit, client, static).items()
            },
            rounds,
        )
        gaps = [_gap(served, client, asked[1]) for _ in range(rounds)]
        load = _load(served, database, requests)
    sizes = {name: len(answer) for name, answer in answers.items()}
    tables = [
        _reads_table(database.kind, samples, sizes),
        load,
        _costs_table(database.kind, memory, gaps, sizes),
    ]
    return Section(tables, _aims(database.kind, samples, memory[0] / sizes["W2"], gaps))


def check_answers(client: Client, asked: list[Workload], answers: dict[str, bytes]) -> None:
    """Raise RuntimeError unless the server answers each workload as the limit does, cold and hot."""
    client.connect()
    for workload in asked:
        expected = orjson.loads(answers[workload.name])
        for ask in (client.cold, client.hot, client.hot):
            answer = orjson.loads(ask(workload))
            if answer != expected:
                errors = answer.get("errors", "no errors")
                message = f"{workload.name}: the server's answer is not the limit's; it has {errors}"
                raise RuntimeError(message)


def _contenders(workload: Workload, limit: Limit, client: Client, static: Client) -> dict[str, Contender]:
    def prime() -> None:
        client.connect()
        client.hot(workload)

    route = f"/{workload.name}".replace(" ", "-")
    return {
        f"{workload.name} limit": Contender(partial(limit.answer, workload)),
        f"{workload.name} cold": Contender(partial(client.cold, workload), client.connect),
        f"{workload.name} static": Contender(partial(static.post, route, workload.body), static.connect),
        # What is hot may be kept for seconds only, so that it is asked for right before.
        f"{workload.name} hot": Contender(partial(client.hot, workload), prime),
    }


@contextmanager
def _static(answers: dict[str, bytes], directory: Path) -> Iterator[Client]:
    files = directory / "answers"
    files.mkdir(exist_ok=True)
    for name, answer in answers.items():
        (files / f"{name.replace(' ', '-')}.json").write_bytes(answer)
    with static_route(files, directory) as served, closing(Client(served.port)) as client:
        yield client


def _memory(served: Served, client: Client, w2: Workload, rounds: int) -> tuple[int, int]:
    """Return the most that one answer took above what was held before it, and what all of them left held."""
    # Imports, connections and the page cache are there in a server that idles.
    client.cold(one_run(run_id(0, 0)))
    before = resident(served.pid)
    peak = max(peak_above_idle(served.pid, partial(client.cold, w2)) for _ in range(rounds))
    return peak, resident(served.pid) - before


def _gap(served: Served, client: Client, w2: Workload) -> float:
    client.connect()
    return longest_gap(served.port, partial(client.cold, w2)) * 1000


def _load(served: Served, database: Database, requests: int) -> Table:
    ids = [run_id(0, number) for number in range(database.sizes.runs)]
    kinds = {"cold": _NO_CACHE, "hot": {}}
    rows = []
    for kind, headers in kinds.items():
        bodies = [{"body": one_run(id_).body, "headers": headers} for id_ in ids]
        found = throughput(served.port, bodies, CONNECTIONS, requests)
        times = [f"{seconds * 1000:.1f}" for seconds in (found.p50, found.p99)]
        rows.append([kind, f"{found.per_second:,.0f}", *times])
    title = f"W4 over {database.kind}: one run by its id, {CONNECTIONS} connections, {requests:,} requests"
    return Table(title, ["", "requests a second", "p50 ms", "p99 ms"], rows)


def _reads_table(kind: str, samples: dict[str, Sample], sizes: dict[str, int]) -> Table:
    rows = []
    for name, size in sizes.items():
        limit, cold, static, hot = (samples[f"{name} {what}"] for what in ("limit", "cold", "static", "hot"))
        to_limit, to_static = ratio(cold.median / limit.median), ratio(hot.median / static.median)
        rows.append([name, f"{size:,}", limit, cold, to_limit, static, hot, to_static])
    header = ["", "bytes", "limit", "cold", "cold / limit", "static route", "hot", "hot / static"]
    return Table(f"W1 to W3 over {kind}", header, rows)


def _costs_table(kind: str, memory: tuple[int, int], gaps: list[float], sizes: dict[str, int]) -> Table:
    (peak, kept), size = memory, sizes["W2"]
    rows = [
        ["memory above idle, at most, in one of many", f"{peak / 1e6:,.0f} MB", f"{peak / size:.1f} answers"],
        ["held after all of them, one cached", f"{kept / 1e6:,.0f} MB", f"{kept / size:.1f} answers"],
        ["longest time without an answer to /healthz", f"{statistics.median(gaps):.0f} ms", _span(gaps)],
    ]
    return Table(f"While W2 is answered, over {kind}", ["", "", ""], rows)


def _span(numbers: list[float]) -> str:
    return f"{min(numbers):.0f} to {max(numbers):.0f} ms"


def _aims(kind: str, samples: dict[str, Sample], memory: float, gaps: list[float]) -> list[Aim]:
    def compare(name: str, one: str, other: str) -> float:
        return samples[f"{name} {one}"].median / samples[f"{name} {other}"].median

    series, history = (samples[f"{name} cold"].median for name in ("W2 as series", "W2"))
    return [
        *(
            Aim(f"{name} cold / its own limit, {kind}", compare(name, "cold", "limit"), bound)
            for name, bound in _COLD_BOUNDS.items()
        ),
        Aim(f"W2 as series cold / limit of W2, {kind}", series / samples["W2 limit"].median, 1.3),
        Aim(f"W2 as series / W2 as history, {kind}", series / history, 1.0),
        Aim(f"W1 hot / static route, {kind}", compare("W1", "hot", "static"), _HOT_BOUND),
        Aim(f"memory above idle / size of W2, {kind}", memory, _MEMORY_BOUND),
        Aim(f"event loop while W2 is answered, {kind}", statistics.median(gaps), _GAP_BOUND, " ms"),
    ]
