"""One run of the benchmarks: fill the databases, start the servers, measure, and render the report."""

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.databases import Database
from benchmarks.growth import growth
from benchmarks.machine import describe
from benchmarks.over_server import over_server
from benchmarks.over_sql import over_sql
from benchmarks.plan import Pair, Plan
from benchmarks.process import Served, gql_server, mlflow_server, start_together
from benchmarks.report import Section, render

PARTS = ("sql", "growth", "server")
_UPSTREAM = "mlflow server"
_SERVER_ROUNDS_DIVISOR = 3
"""A round over an `mlflow server` takes many seconds, so that only a third of the rounds are run."""


def run(plan: Plan, pairs: Sequence[Pair], directory: Path, parts: Collection[str]) -> str:
    """Measure the given parts and return the report, in Markdown."""
    databases = [database for pair in pairs for database in _databases_of(pair, parts)]
    for database in databases:
        _print(f"filling {database.url.database}")
        database.build()
    machine = describe(_versions(databases), plan.sizes, plan.rounds) + plan.warning
    with ExitStack() as stack:
        started = _start(stack, pairs, directory, parts)
        return render(machine, list(_sections(plan, pairs, started, directory, parts)))


def _databases_of(pair: Pair, parts: Collection[str]) -> list[Database]:
    return [pair.database, pair.grown] if "growth" in parts else [pair.database]


def _start(
    stack: ExitStack, pairs: Sequence[Pair], directory: Path, parts: Collection[str]
) -> dict[str, Served]:
    _print("starting servers")
    databases = (
        [database for pair in pairs for database in _databases_of(pair, parts)]
        if {"sql", "growth"} & {*parts}
        else []
    )
    starting = {database.uri: gql_server(database.uri, directory) for database in databases}
    if "server" in parts:
        starting[_UPSTREAM] = mlflow_server(pairs[0].database.uri, directory)
    return start_together(stack, starting)


def _sections(
    plan: Plan,
    pairs: Sequence[Pair],
    started: dict[str, Served],
    directory: Path,
    parts: Collection[str],
) -> Iterator[Section]:
    for pair in pairs:
        served = started.get(pair.database.uri)
        kind = pair.database.kind
        if "sql" in parts and served:
            _print(f"W1 to W4 over {kind}")
            yield over_sql(pair.database, served, directory, plan.rounds, plan.requests)
        if "growth" in parts and served:
            _print(f"W5 over {kind}")
            yield growth(pair, served, started[pair.grown.uri], directory, plan.rounds)
    if "server" in parts:
        _print("W1 to W3 over an mlflow server")
        yield over_server(
            pairs[0].database, started[_UPSTREAM], directory, max(1, plan.rounds // _SERVER_ROUNDS_DIVISOR)
        )


def _versions(databases: list[Database]) -> list[str]:
    with ExitStack() as stack:
        limits = [stack.enter_context(database.limit()) for database in databases]
        return list(dict.fromkeys(limit.reader.version() for limit in limits))


def _print(text: str) -> None:
    sys.stderr.write(f"{text}\n")
