"""A database at a tracking URI, as the server uses it: opened late, gone and back again."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gql_server.config.settings import Settings
from gql_server.stores.factory import OpenableTracking, store_from
from gql_server.stores.mlflow.lazy_store import RETRY_SECONDS
from gql_server.stores.sql.lazy_sql_tracking import LazySqlTracking
from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.errors import StoreUnavailable
from tests.support.stores import Store


@pytest.fixture
async def tracking(sqlite_store: Store) -> AsyncIterator[OpenableTracking]:
    """Give the port that the settings name."""
    tracking = store_from(Settings(tracking_uri=sqlite_store.uri))
    yield tracking
    await tracking.close()


def file_of(store: Store) -> Path:
    """Return the file of a SQLite store."""
    return Path(store.uri.removeprefix("sqlite:///"))


async def test_a_database_is_read_directly(tracking: OpenableTracking) -> None:
    """A SQL tracking URI gets the port over MLflow's tables."""
    assert isinstance(tracking, LazySqlTracking)
    await tracking.open()
    assert list((await tracking.experiments_by_id(["0"], {"name"})).rows["name"]) == ["Default"]


async def test_a_deleted_file_is_noticed_and_read_again_when_it_is_back(
    tracking: OpenableTracking, sqlite_store: Store, tmp_path: Path
) -> None:
    """Without its file the store is unavailable, no empty one is made, and a restored one is read soon."""
    await tracking.ready()
    file, kept = file_of(sqlite_store), tmp_path / "kept.db"
    shutil.move(file, kept)
    with pytest.raises(StoreUnavailable):
        await tracking.experiments_by_id(["0"], {"name"})
    assert not file.exists()
    shutil.copyfile(kept, file)
    await asyncio.sleep(RETRY_SECONDS)
    assert (await tracking.experiments_by_id(["0"], {"name"})).rows.size == 1


async def test_a_file_that_takes_its_place_is_read(
    tracking: OpenableTracking, sqlite_store: Store, sqlite_template: Path
) -> None:
    """Where another database takes the file's name, that one is read."""
    await tracking.ready()
    file = file_of(sqlite_store)
    file.unlink()
    shutil.copyfile(sqlite_template, file)
    assert (await tracking.experiments_by_id(["0"], {"name"})).index == [None]


async def test_a_read_only_database_is_served(sqlite_store: Store) -> None:
    """A SQLite file opened for reading only answers, and not a byte of it changes."""
    file = file_of(sqlite_store)
    before = file.read_bytes()
    tracking = store_from(Settings(tracking_uri=f"sqlite:///file:{file}?mode=ro&uri=true"))
    await tracking.open()
    assert list((await tracking.experiments_by_id(["0"], {"name"})).rows["name"]) == ["Default"]
    await tracking.close()
    assert file.read_bytes() == before


async def test_a_missing_file_is_for_someone_to_mend(tmp_path: Path) -> None:
    """A file that was never there is Unusable, and stays missing."""
    tracking = store_from(Settings(tracking_uri=f"sqlite:///{tmp_path / 'missing.db'}"))
    with pytest.raises(StoreConfigError):
        await tracking.open()
    await tracking.close()
    assert not (tmp_path / "missing.db").exists()
