"""A database whose owner migrates it while this server reads it."""

import pytest
from sqlalchemy import Engine

from gql_server.stores.reopening import RETRY_SECONDS
from gql_server.stores.sql.database.database import Database
from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.errors import StoreUnavailable
from schema.ports.store_info import StoreFeature
from schema.ports.tracking import Search
from tests.support.clock import Clock
from tests.support.limits import store_limits
from tests.support.stores.schema_changes import renamed_table, revision

ALWAYS = store_limits(schema_check_seconds=1e-9)
NEVER = store_limits(schema_check_seconds=1e9)


async def test_new_revision_is_noticed(engine: Engine) -> None:
    """After a migration the new features are there, without a restart."""
    tracking = SqlTracking(engine, ALWAYS)
    with renamed_table(engine, "logged_model_tags"):
        before = await tracking.info()
        assert StoreFeature.LOGGED_MODELS not in before.features
    assert await tracking.info() == before, "the schema is not read anew without a new revision"
    with revision(engine, "ffffffffffff"):
        after = await tracking.info()
    assert after.database_revision == "ffffffffffff"
    assert StoreFeature.LOGGED_MODELS in after.features
    await tracking.close()


async def test_revision_is_not_read_for_each_call(engine: Engine, statements: list[str]) -> None:
    """Between two checks a call runs its own statements only."""
    tracking = SqlTracking(engine, NEVER)
    await tracking.ready()
    statements.clear()
    await tracking.ready()
    assert not any("alembic_version" in statement for statement in statements)
    await tracking.close()


async def test_table_that_disappears_between_checks_is_no_error(engine: Engine) -> None:
    """A statement that fails for a table that is gone runs again with the schema that is there."""
    tracking = SqlTracking(engine, NEVER)
    assert StoreFeature.DATASETS in (await tracking.info()).features
    with renamed_table(engine, "datasets"):
        datasets = await tracking.models.datasets(["0" * 32], {"name"})
        assert datasets.spans == [(0, 0)]
        assert StoreFeature.DATASETS not in (await tracking.info()).features
    await tracking.close()


async def test_core_table_that_disappears_makes_the_store_unavailable(engine: Engine) -> None:
    """While a core table is missing the store is not ready; later it is read again."""
    clock = Clock()
    uri = engine.url.render_as_string(hide_password=False)
    tracking = SqlTracking(Database(uri, lambda: engine, NEVER, clock=clock), NEVER)
    await tracking.ready()
    with renamed_table(engine, "experiment_tags"):
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await tracking.experiment_tags(["0"], None)
    with pytest.raises(StoreUnavailable):
        await tracking.ready()
    clock.now += RETRY_SECONDS
    assert await tracking.count_experiments(Search()) == 1
    await tracking.close()
