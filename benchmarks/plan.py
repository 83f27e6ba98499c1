"""The extent of a measurement: sizes, rounds and databases."""

from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.databases import Database, postgres_database, sqlite_database
from benchmarks.dataset import Sizes


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of the data, of W5's and of W6's, the number of rounds, and the seconds of a load."""

    name: str
    sizes: Sizes
    times: int
    rounds: int
    seconds: float
    frames: Sizes
    warning: str = ""

    @property
    def grown(self) -> Sizes:
        """The sizes of W5's database. W1 reads no history, so that one point of each metric is enough."""
        return replace(self.sizes, times=self.times, points=1, dashboard_runs=0)


@dataclass(frozen=True, slots=True)
class Pair:
    """The database of S1 to S3 and W1 to W3, and the larger one of W5."""

    database: Database
    grown: Database


_WARNING = "\n- A quick run with tiny data: it shows that the benchmarks run, but its times mean nothing."
_TINY = Sizes(2, runs=4, params=2, metrics=2, points=5, dashboard_runs=6, dashboard_points=250)

_FRAMES = Sizes(10, runs=3000, params=100, metrics=100, points=0, dashboard_runs=0)
_TINY_FRAMES = replace(_TINY, points=0, dashboard_runs=0)

FULL = Plan("full", Sizes(), times=100, rounds=9, seconds=1.0, frames=_FRAMES)
QUICK = Plan("quick", _TINY, times=3, rounds=1, seconds=0.1, frames=_TINY_FRAMES, warning=_WARNING)


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
