"""One run of the benchmarks: fill the databases, start the servers, measure, and render the report."""

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.costs import costs
from benchmarks.databases import Database, sqlite_database
from benchmarks.frames import frames
from benchmarks.growth import growth
from benchmarks.machine import describe
from benchmarks.over_server import over_server
from benchmarks.over_sql import over_sql
from benchmarks.plan import Pair, Plan
from benchmarks.postgraphile.installation import UnavailableError, install, version
from benchmarks.report import Section, render
from benchmarks.servers import Started, start
from benchmarks.small import small

PARTS = ("sql", "small", "growth", "server", "costs", "frames")
_SERVER_ROUNDS_DIVISOR = 3
"""A round over an `mlflow server` takes many seconds, so that only a third of the rounds are run."""

_COSTS_ROUNDS = 5
"""A round of costs starts servers, which takes seconds."""


def run(plan: Plan, pairs: Sequence[Pair], directory: Path, parts: Collection[str]) -> str:
    """Measure the given parts and return the report, in Markdown."""
    databases = [database for pair in pairs for database in _databases_of(pair, parts)]
    wide = [sqlite_database(directory, f"{plan.name}_frames", plan.frames)] if "frames" in parts else []
    for database in [*databases, *wide]:
        _print(f"filling {database.url.database}")
        database.build()
    node, postgraphile = _postgraphile(databases, directory)
    machine = describe([*_versions(databases), postgraphile], plan.sizes, plan.rounds) + plan.warning
    with ExitStack() as stack:
        _print("starting servers")
        started = start(stack, pairs, directory, parts, node)
        sections = list(_sections(plan, pairs, started, directory, parts))
    if "costs" in parts:
        sections += [_costs(pair.database, directory, plan) for pair in pairs]
    for database in wide:
        _print(f"W6 over {database.kind}")
        sections.append(frames(database, directory))
    return render(machine, sections)


def _databases_of(pair: Pair, parts: Collection[str]) -> list[Database]:
    return [pair.database, pair.grown] if "growth" in parts else [pair.database]


def _postgraphile(databases: Sequence[Database], directory: Path) -> tuple[Path | None, str]:
    """Return PostGraphile's installation and its version, or why it is left out."""
    if all(database.kind != "Postgres" for database in databases):
        return None, "no PostGraphile (it serves Postgres only)"
    try:
        return install(directory), version()
    except UnavailableError as error:
        return None, f"no PostGraphile ({error})"


def _sections(
    plan: Plan, pairs: Sequence[Pair], started: Started, directory: Path, parts: Collection[str]
) -> Iterator[Section]:
    for pair in pairs:
        servers = started.by_uri.get(pair.database.uri)
        if not servers:
            continue
        kind = pair.database.kind
        # First, because it measures the memory of a server that has had no request yet.
        if "sql" in parts:
            _print(f"W1 to W3 over {kind}")
            yield over_sql(pair.database, servers, directory, plan.rounds)
        if "small" in parts:
            _print(f"S1 to S3 over {kind}")
            yield small(pair.database, servers, plan.rounds, plan.seconds)
        if "growth" in parts:
            _print(f"W5 over {kind}")
            grown = started.grown[pair.grown.uri]
            yield growth(pair, servers.gql, grown, directory, plan.rounds)
    if started.upstream:
        _print("S1, S2 and W1 to W3 over an mlflow server")
        rounds = max(1, plan.rounds // _SERVER_ROUNDS_DIVISOR)
        yield over_server(pairs[0].database, started.upstream, directory, rounds)


def _costs(database: Database, directory: Path, plan: Plan) -> Section:
    _print(f"costs over {database.kind}")
    return costs(database, directory, min(plan.rounds, _COSTS_ROUNDS), plan.seconds)


def _versions(databases: list[Database]) -> list[str]:
    with ExitStack() as stack:
        limits = [stack.enter_context(database.limit()) for database in databases]
        return list(dict.fromkeys(limit.reader.version() for limit in limits))


def _print(text: str) -> None:
    sys.stderr.write(f"{text}\n")
