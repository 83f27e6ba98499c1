"""The servers of one run, started together."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.plan import Pair
from benchmarks.postgraphile.installation import postgraphile
from benchmarks.process import Served, gql_server, least_app, mlflow_server, start_together

_GQL, _LEAST, _POSTGRAPHILE, _UPSTREAM = "gql", "least", "postgraphile", "upstream"


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers over one database. PostGraphile serves Postgres only, and needs Node."""

    gql: Served
    least: Served
    postgraphile: Served | None


@dataclass(frozen=True, slots=True)
class Started:
    """All servers that the measured parts need.

    `by_uri` has those over each database, `grown` this server over each larger database of W5, and `upstream`
    is an `mlflow server` over the first database.
    """

    by_uri: dict[str, Servers]
    grown: dict[str, Served]
    upstream: Served | None


def start(
    stack: ExitStack, pairs: Sequence[Pair], directory: Path, parts: Collection[str], node: Path | None
) -> Started:
    """Start what the parts need; PostGraphile only from its installation `node`."""
    starting: dict[tuple[str, str], AbstractContextManager[Served]] = {}
    measured = [pair for pair in pairs if {"small", "sql", "growth"} & {*parts}]
    for pair in measured:
        uri = pair.database.uri
        starting[_GQL, uri] = gql_server(uri, directory)
        starting[_LEAST, uri] = least_app(uri, directory)
        if node and pair.database.kind == "Postgres":
            starting[_POSTGRAPHILE, uri] = postgraphile(node, uri, directory)
        if "growth" in parts:
            starting[_GQL, pair.grown.uri] = gql_server(pair.grown.uri, directory)
    if "server" in parts:
        starting[_UPSTREAM, ""] = mlflow_server(pairs[0].database.uri, directory)
    started = start_together(stack, starting)
    by_uri = {
        uri: Servers(started[_GQL, uri], started[_LEAST, uri], started.get((_POSTGRAPHILE, uri)))
        for uri in (pair.database.uri for pair in measured)
    }
    grown = {uri: served for (name, uri), served in started.items() if name == _GQL and uri not in by_uri}
    return Started(by_uri, grown, started.get((_UPSTREAM, "")))
