"""S1 to S3 over a SQL store, as loads: the server beside the least application and PostGraphile."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import astuple
from typing import Any

import orjson

from benchmarks.client import Client
from benchmarks.databases import Database
from benchmarks.load import Throughput, throughput
from benchmarks.postgraphile.documents import translated
from benchmarks.postgraphile.results import check_postgraphile
from benchmarks.report import Aim, Section, Table
from benchmarks.servers import Servers
from benchmarks.small_workloads import NAMES, small_workloads
from benchmarks.workload import Workload

CONNECTIONS = (1, 32)
_NO_CACHE = {"Cache-Control": "no-cache"}
_LIMIT, _COLD, _HOT, _POSTGRAPHILE = "limit", "cold", "hot", "PostGraphile"
_LIMIT_BOUND = 2.0
_LIMITED = ("S1", "S3")
_POSTGRAPHILE_BOUNDS = {"S1": 1.0, "S2": 1.3}
Key = tuple[str, str, int]
"""A workload, a variant and a number of connections."""


def small(database: Database, servers: Servers, rounds: int, seconds: float) -> Section:
    """Measure S1 to S3 over one database.

    Raises RuntimeError if a response is not that of the least application, or PostGraphile has other data.
    """
    with database.limit() as limit:
        ids = [id_ for id_, _ in limit.reader.experiments(database.sizes.experiments)]
    workloads = small_workloads(database.sizes, ids)
    _check(servers, [workload for variations in workloads.values() for workload in variations])
    loads = {
        (name, variant, connections): (port, bodies, connections, seconds)
        for name, variations in workloads.items()
        for variant, (port, bodies) in _variants(servers, variations).items()
        for connections in CONNECTIONS
    }
    results = [{key: throughput(*load) for key, load in loads.items()} for _ in range(rounds)]
    measured = {key: _median([result[key] for result in results]) for key in loads}
    return Section([_table(database.kind, measured)], list(_aims(database.kind, measured)))


def _variants(servers: Servers, variations: list[Workload]) -> dict[str, tuple[int, list[Any]]]:
    bodies = [workload.body for workload in variations]
    variants = {
        _LIMIT: (servers.least.port, _requests(bodies)),
        _COLD: (servers.gql.port, _requests(bodies, _NO_CACHE)),
        _HOT: (servers.gql.port, _requests(bodies)),
    }
    if servers.postgraphile:
        bodies = [translated(workload).body for workload in variations]
        variants[_POSTGRAPHILE] = (servers.postgraphile.port, _requests(bodies))
    return variants


def _requests(bodies: Iterable[Any], headers: Mapping[str, str] | None = None) -> list[Any]:
    return [{"body": body, "headers": headers or {}} for body in bodies]


def _check(servers: Servers, workloads: Iterable[Workload]) -> None:
    with closing(Client(servers.gql.port)) as gql, closing(Client(servers.least.port)) as least:
        responses = [(workload, gql.cold(workload), least.hot(workload)) for workload in workloads]
    for workload, response, expected in responses:
        if response != expected:
            message = f"{workload.name}: the server and the least application differ: {response[:1000]!r}"
            raise RuntimeError(message)
    if servers.postgraphile:
        with closing(Client(servers.postgraphile.port)) as client:
            for workload, _, expected in responses:
                check_postgraphile(workload, client, orjson.loads(expected)["data"])


def _median(results: Sequence[Throughput]) -> Throughput:
    return Throughput(*map(statistics.median, zip(*map(astuple, results), strict=True)))


def _table(kind: str, measured: Mapping[Key, Throughput]) -> Table:
    variants = dict.fromkeys(variant for _, variant, _ in measured)
    keys = [[(name, variant, number) for number in CONNECTIONS] for name in NAMES for variant in variants]
    rows = [[" ".join(row[0][:2]), *(cell for key in row for cell in _cells(measured[key]))] for row in keys]
    header = [""]
    for connections in CONNECTIONS:
        on = "1 connection" if connections == 1 else f"{connections} connections"
        header += [f"{on}: requests/s", "p50 ms", "p99 ms"]
    return Table(f"S1 to S3 over {kind}", header, rows)


def _cells(result: Throughput) -> list[str]:
    times = [f"{seconds * 1000:.2f}" for seconds in (result.p50, result.p99)]
    return [f"{result.per_second:,.0f}", *times]


def _aims(kind: str, measured: Mapping[Key, Throughput]) -> Iterable[Aim]:
    for name in _LIMITED:
        one = measured[name, _COLD, 1].p50 / measured[name, _LIMIT, 1].p50
        yield Aim(f"{name} cold / limit, p50 at 1 connection, {kind}", one, _LIMIT_BOUND)
    many = CONNECTIONS[-1]
    for name, bound in _POSTGRAPHILE_BOUNDS.items():
        other = measured.get((name, _POSTGRAPHILE, many))
        if other:
            value = measured[name, _COLD, many].per_second / other.per_second
            title = f"{name} cold / PostGraphile, requests/s at {many} connections"
            yield Aim(title, value, bound, at_least=True)
