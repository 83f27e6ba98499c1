"""The costs of the server: its start, its memory, its round trips, and what more load or workers change."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.databases import Database
from benchmarks.dataset import run_id
from benchmarks.heartbeat import heartbeat
from benchmarks.load import throughput
from benchmarks.memory import resident
from benchmarks.process import gql_server
from benchmarks.report import Aim, Section, Table, ratio
from benchmarks.round_trips import round_trips
from benchmarks.small_workloads import S1, small_workloads
from benchmarks.startup import LIBRARIES, startup
from benchmarks.workers import Rates, worker_rates
from benchmarks.workload import Workload, workloads

_CONNECTIONS = 32
_INTERVAL = 0.01
_MANY_SECONDS = 5
"""W1 is asked for this many times the seconds of a load, since each response takes long."""

_START_BOUND = 2.0
_IDLE_BOUND = 120.0
_ROUND_TRIPS_BOUND = 3.0
_HEALTH_BOUND = 50.0
_WORKERS_BOUND = 1.7
_ONE = Workload("S1", S1, {"id": run_id(0, 0)})


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured over one database; the round trips only over Postgres."""

    start: float
    imports: float
    idle: float
    trips: float | None
    health: float
    rates: dict[str, Rates]


def costs(database: Database, directory: Path, rounds: int, seconds: float) -> Section:
    """Measure the costs with servers of their own."""
    measured = _measure(database, directory, rounds, seconds)
    return Section([_table(database.kind, measured)], _aims(database.kind, measured))


def _measure(database: Database, directory: Path, rounds: int, seconds: float) -> Costs:
    uri = database.uri
    start, imports = startup(uri, directory, rounds)
    trips = round_trips(database.url, _ONE, directory) if database.kind == "Postgres" else None
    with database.limit() as limit:
        ids = [id_ for id_, _ in limit.reader.experiments(database.sizes.experiments)]
    small = small_workloads(database.sizes, ids)
    with gql_server(uri, directory) as served:
        idle = resident(served.pid) / 1e6
        loads = {name: small[name] for name in ("S1", "S2")}
        rates = worker_rates(served, uri, directory, loads, rounds, seconds)
        w1 = {"body": workloads(database.sizes)[0].body, "headers": {"Cache-Control": "no-cache"}}
        ask = partial(throughput, served.port, [w1], _CONNECTIONS, seconds * _MANY_SECONDS)
        health = heartbeat(served.port, ask, _INTERVAL).p99
    return Costs(start, imports, idle, trips, health * 1000, rates)


def _table(kind: str, measured: Costs) -> Table:
    start = ratio(measured.start / measured.imports)
    rows = [
        ["start to ready", f"{measured.start * 1000:,.0f} ms", f"{start} of the import of its libraries"],
        ["import of its libraries", f"{measured.imports * 1000:,.0f} ms", ", ".join(LIBRARIES)],
        ["idle memory of a worker", f"{measured.idle:,.0f} MB", "before the first request"],
    ]
    if measured.trips is not None:
        rows.append(["round trips of S1", f"{measured.trips:g}", "cold"])
    rows.append(["p99 of /healthz", f"{measured.health:.1f} ms", f"{_CONNECTIONS} connections ask W1"])
    for name, (one, two) in measured.rates.items():
        relative = f"{ratio(two / one)} of one worker ({one:,.0f}/s)"
        rows.append([f"{name} with 2 workers", f"{two:,.0f}/s", relative])
    return Table(f"Costs over {kind}", ["", "", ""], rows)


def _aims(kind: str, measured: Costs) -> list[Aim]:
    aims = [
        Aim(f"idle memory of a worker, {kind}", measured.idle, _IDLE_BOUND, " MB"),
        Aim(f"p99 of /healthz while 32 connections ask W1, {kind}", measured.health, _HEALTH_BOUND, " ms"),
    ]
    if kind == "SQLite":
        start = measured.start / measured.imports
        aims.append(Aim("start to ready / import of its libraries, SQLite", start, _START_BOUND))
    if measured.trips is not None:
        aims.append(Aim("round trips of S1 over Postgres", measured.trips, _ROUND_TRIPS_BOUND, ""))
    for name, (one, two) in measured.rates.items():
        title = f"{name} with 2 workers / with one, {kind}"
        aims.append(Aim(title, two / one, _WORKERS_BOUND, at_least=True))
    return aims
