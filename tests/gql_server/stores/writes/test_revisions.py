"""Changes to a database whose owner migrates it."""

import pytest
import sqlalchemy

from gql_server.config.settings import Settings
from gql_server.stores.factory import store_from
from gql_server.stores.writes.factory import write_store_from
from schema.ports.errors import StoreUnavailable
from tests.support.stores.schema_changes import revision
from tests.support.stores.store import Store
from tests.support.stores.write_stores import RecordingCache


async def test_changes_end_with_the_revision(sqlite_store: Store) -> None:
    """After a migration MLflow's store is not used any more, and is used again for its own revision."""
    settings = Settings(tracking_uri=sqlite_store.uri, schema_check_seconds=1e-9, writable=True)
    store, cache = store_from(settings), RecordingCache()
    writer = write_store_from(settings, store, cache)
    await writer.create_experiment("before", None, ())
    engine = sqlalchemy.create_engine(sqlite_store.uri)
    with revision(engine, "ffffffffffff"), pytest.raises(StoreUnavailable):
        await writer.create_experiment("during", None, ())
    engine.dispose()
    names = {experiment.name for experiment in sqlite_store.client.search_experiments()}
    assert names == {"Default", "before"}
    await writer.close()
    await store.close()
