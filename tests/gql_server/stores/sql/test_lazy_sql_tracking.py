"""A database that opens when it is first used, is removed and restored."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gql_server.config.settings import Settings
from gql_server.stores.factory import OpenableTracking, store_from
from gql_server.stores.reopening import RETRY_SECONDS
from gql_server.stores.sql.lazy_sql_tracking import LazySqlTracking
from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.errors import StoreUnavailable
from tests.support.stores.store import Store


@pytest.fixture
async def tracking(sqlite_store: Store) -> AsyncIterator[OpenableTracking]:
    """Give the port at the tracking URI of the settings."""
    tracking = store_from(Settings(tracking_uri=sqlite_store.uri))
    yield tracking
    await tracking.close()


def file_of(store: Store) -> Path:
    """Return the file of a SQLite store."""
    return Path(store.uri.removeprefix("sqlite:///"))


async def test_sql_uri_opens_tables(tracking: OpenableTracking) -> None:
    """A SQL tracking URI gets the port over MLflow's tables."""
    assert isinstance(tracking, LazySqlTracking)
    await tracking.open()
    assert list((await tracking.experiments_by_id(["0"], {"name"})).rows["name"]) == ["Default"]


async def test_deleted_file_is_unavailable_until_restored(
    tracking: OpenableTracking, sqlite_store: Store, tmp_path: Path
) -> None:
    """Without its file the store is unavailable and creates none; a restored file is read again."""
    await tracking.ready()
    file, backup = file_of(sqlite_store), tmp_path / "backup.db"
    shutil.move(file, backup)
    with pytest.raises(StoreUnavailable):
        await tracking.experiments_by_id(["0"], {"name"})
    assert not file.exists()
    shutil.copyfile(backup, file)
    await asyncio.sleep(RETRY_SECONDS)
    assert (await tracking.experiments_by_id(["0"], {"name"})).rows.size == 1


async def test_replaced_file_is_read(
    tracking: OpenableTracking, sqlite_store: Store, sqlite_template: Path
) -> None:
    """If another database replaces the file, the new one is read."""
    await tracking.ready()
    file = file_of(sqlite_store)
    file.unlink()
    shutil.copyfile(sqlite_template, file)
    assert (await tracking.experiments_by_id(["0"], {"name"})).index == [None]


async def test_read_only_file_opens_unchanged(sqlite_store: Store) -> None:
    """A SQLite file opened for reading only is served, and no byte of it changes."""
    file = file_of(sqlite_store)
    before = file.read_bytes()
    tracking = store_from(Settings(tracking_uri=f"sqlite:///file:{file}?mode=ro&uri=true"))
    await tracking.open()
    assert list((await tracking.experiments_by_id(["0"], {"name"})).rows["name"]) == ["Default"]
    await tracking.close()
    assert file.read_bytes() == before


async def test_missing_file_raises_config_error(tmp_path: Path) -> None:
    """A file that never existed is an error in configuration, and is not created."""
    tracking = store_from(Settings(tracking_uri=f"sqlite:///{tmp_path / 'missing.db'}"))
    with pytest.raises(StoreConfigError):
        await tracking.open()
    await tracking.close()
    assert not (tmp_path / "missing.db").exists()
