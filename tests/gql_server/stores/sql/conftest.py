"""Fixtures: each kind of database, and the port over it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from mlflow.store.db.utils import create_sqlalchemy_engine
from sqlalchemy import Engine, event

from gql_server.stores.sql.event_loop.factory import loop_reader_for
from gql_server.stores.sql.tracking import SqlTracking
from tests.support.limits import LIMITS
from tests.support.stores.store import Store


@pytest.fixture(params=["sqlite", "postgres", "mysql"])
def database(request: pytest.FixtureRequest) -> Store:
    """Give an empty store in each kind of database."""
    store: Store = request.getfixturevalue(f"{request.param}_store")
    return store


@pytest.fixture
def engine(database: Store) -> Iterator[Engine]:
    """Give an engine as MLflow creates it for the database."""
    engine: Engine = create_sqlalchemy_engine(database.uri)
    yield engine
    engine.dispose()


@pytest.fixture
async def tracking(
    engine: Engine, database: Store, request: pytest.FixtureRequest
) -> AsyncIterator[SqlTracking]:
    """Give the port over the database.

    It reads short results from Postgres on the event loop, unless the test counts the engine's statements.
    """
    counts_statements = "statements" in request.fixturenames
    loop_reader = None if counts_statements else loop_reader_for(database.uri, LIMITS.store)
    tracking = SqlTracking(engine, LIMITS.store, loop_reader=loop_reader)
    yield tracking
    await tracking.close()


@pytest.fixture
def statements(engine: Engine) -> list[str]:
    """Give the list to which each statement on the engine is added."""
    executed: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _listen(*arguments: Any) -> None:
        executed.append(arguments[2])

    return executed
