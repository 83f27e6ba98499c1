"""A tiny data set of the benchmarks, in SQLite and in Postgres."""

from collections.abc import Iterator

import pytest

from benchmarks.databases import Database, sqlite_database
from benchmarks.dataset import Sizes
from tests.support.stores.databases import POSTGRES, require_database_server, temporary_database

SIZES = Sizes(2, runs=3, params=2, metrics=2, points=4, dashboard_runs=5, dashboard_points=250)


@pytest.fixture(scope="session")
def in_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """Return the data set in a file."""
    created = sqlite_database(tmp_path_factory.mktemp("benchmarks"), "tiny", SIZES)
    created.build()
    return created


@pytest.fixture(scope="session")
def in_postgres() -> Iterator[Database]:
    """Yield the data set in a database that is dropped afterwards."""
    require_database_server(POSTGRES)
    with temporary_database(POSTGRES) as url:
        created = Database("Postgres", url, SIZES)
        created.build()
        yield created
