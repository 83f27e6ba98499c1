"""The extent of a measurement: sizes, rounds and databases."""

from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.databases import Database, postgres_database, sqlite_database
from benchmarks.dataset import Sizes


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of the data, the number of rounds, and a warning for the report."""

    name: str
    sizes: Sizes
    times: int
    rounds: int
    requests: int
    warning: str = ""

    @property
    def grown(self) -> Sizes:
        """The sizes of W5's database. W1 reads no history, so that one point of each metric is enough."""
        return replace(self.sizes, times=self.times, points=1)


@dataclass(frozen=True, slots=True)
class Pair:
    """The database of W1 to W4, and the larger one of W5."""

    database: Database
    grown: Database


_WARNING = "\n- A quick run with tiny data: it shows that the benchmarks run, but its times mean nothing."
_TINY = Sizes(experiments=2, runs=4, params=2, metrics=2, points=5)

FULL = Plan("full", Sizes(), times=100, rounds=9, requests=5000)
QUICK = Plan("quick", _TINY, times=3, rounds=1, requests=64, warning=_WARNING)


def in_sqlite(directory: Path, plan: Plan) -> Pair:
    """Return the databases in files of a directory."""
    return Pair(
        sqlite_database(directory, plan.name, plan.sizes),
        sqlite_database(directory, f"{plan.name}_grown", plan.grown),
    )


def in_postgres(server: str, plan: Plan) -> Pair:
    """Return the databases on a server; create them empty if they do not exist."""
    return Pair(
        postgres_database(server, plan.name, plan.sizes),
        postgres_database(server, f"{plan.name}_grown", plan.grown),
    )
