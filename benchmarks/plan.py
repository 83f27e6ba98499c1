"""How much is measured, and over which databases."""

from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.databases import Database, postgres_database, sqlite_database
from benchmarks.dataset import Sizes


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of the data, how often each one has a turn, and what is to be said of the numbers."""

    name: str
    sizes: Sizes
    times: int
    rounds: int
    requests: int
    caution: str = ""

    @property
    def grown(self) -> Sizes:
        """The sizes of W5's database. W1 reads no history, so that one point of each metric has to do."""
        return replace(self.sizes, times=self.times, points=1)


@dataclass(frozen=True, slots=True)
class Pair:
    """A database of W1 to W4, and the one of W5 beside it."""

    database: Database
    grown: Database


_CAUTION = "\n- A quick run over next to no data: it shows that everything runs, and nothing about how fast."
_TINY = Sizes(experiments=2, runs=4, params=2, metrics=2, points=5)

FULL = Plan("full", Sizes(), times=100, rounds=9, requests=5000)
QUICK = Plan("quick", _TINY, times=3, rounds=1, requests=64, caution=_CAUTION)


def in_sqlite(directory: Path, plan: Plan) -> Pair:
    """Name the files in a directory."""
    return Pair(
        sqlite_database(directory, plan.name, plan.sizes),
        sqlite_database(directory, f"{plan.name}_grown", plan.grown),
    )


def in_postgres(server: str, plan: Plan) -> Pair:
    """Name the databases on a server, and create them empty if they are not there."""
    return Pair(
        postgres_database(server, plan.name, plan.sizes),
        postgres_database(server, f"{plan.name}_grown", plan.grown),
    )
