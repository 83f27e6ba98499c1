"""One run of the benchmarks: fill, start, measure, write."""

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
_FEWER = 3
"""Over an `mlflow server` a round takes many seconds: one round in so many has to do."""


def run(plan: Plan, pairs: Sequence[Pair], directory: Path, parts: Collection[str]) -> str:
    """Do these parts and return what was found, in Markdown."""
    databases = [database for pair in pairs for database in _read_by(pair, parts)]
    for database in databases:
        _say(f"filling {database.url.database}")
        database.build()
    machine = describe(_versions(databases), plan.sizes, plan.rounds) + plan.caution
    with ExitStack() as stack:
        started = _start(stack, pairs, directory, parts)
        return render(machine, list(_sections(plan, pairs, started, directory, parts)))


def _read_by(pair: Pair, parts: Collection[str]) -> list[Database]:
    return [pair.database, pair.grown] if "growth" in parts else [pair.database]


def _start(
    stack: ExitStack, pairs: Sequence[Pair], directory: Path, parts: Collection[str]
) -> dict[str, Served]:
    _say("starting servers")
    measured = (
        [one for pair in pairs for one in _read_by(pair, parts)] if {"sql", "growth"} & {*parts} else []
    )
    starting = {one.uri: gql_server(one.uri, directory) for one in measured}
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
            _say(f"W1 to W4 over {kind}")
            yield over_sql(pair.database, served, directory, plan.rounds, plan.requests)
        if "growth" in parts and served:
            _say(f"W5 over {kind}")
            yield growth(pair, served, started[pair.grown.uri], directory, plan.rounds)
    if "server" in parts:
        _say("W1 to W3 over an mlflow server")
        yield over_server(pairs[0].database, started[_UPSTREAM], directory, max(1, plan.rounds // _FEWER))


def _versions(databases: list[Database]) -> list[str]:
    with ExitStack() as stack:
        limits = [stack.enter_context(database.limit()) for database in databases]
        return list(dict.fromkeys(limit.reader.version() for limit in limits))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
