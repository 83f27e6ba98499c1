"""Stores that become unavailable while they are served, and recover."""

import asyncio
import shutil
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from gql_server.stores import reopening
from gql_server.stores.mlflow.tracking import MlflowTracking
from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.errors import (
    Forbidden,
    PublicError,
    StoreTimeout,
    StoreUnavailable,
    Unauthenticated,
    UnsupportedByStore,
)
from schema.ports.tracking import Search
from tests.support.limits import LIMITS, store_limits
from tests.support.servers.mlflow_server import MlflowServer
from tests.support.servers.scripted_server import never_respond, scripted_server
from tests.support.stores.store import Store

EVERYTHING = Search()


@pytest.fixture(autouse=True)
def _short_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reopening, "RETRY_SECONDS", 0.05)


def static_server(head: bytes, content: bytes = b"no") -> AbstractAsyncContextManager[str]:
    """Give the URI of an HTTP server that sends the same response to every request."""

    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (head, len(content), content))

    return scripted_server([respond] * 100)


async def wait_until_ready(port: MlflowTracking) -> None:
    """Return when the store can be read again."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await port.ready()
            except PublicError:
                await asyncio.sleep(0.05)


async def test_killed_server_is_unavailable_until_restarted(mlflow_server: MlflowServer) -> None:
    """While an MLflow server is down, calls fail at once; after its restart they succeed."""
    port = MlflowTracking(mlflow_server.uri, LIMITS.store)
    assert await port.count_experiments(EVERYTHING) == 1
    await asyncio.to_thread(mlflow_server.kill)
    began = time.monotonic()
    with pytest.raises(StoreUnavailable) as caught:
        await port.count_experiments(EVERYTHING)
    assert time.monotonic() - began < 15
    assert "127.0.0.1" not in str(caught.value)
    await asyncio.to_thread(mlflow_server.start)
    await wait_until_ready(port)
    assert await port.count_experiments(EVERYTHING) == 1
    await port.close()


async def test_silent_server_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call ends at its timeout, even if the store does not respond."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    async with scripted_server([never_respond] * 100) as uri:
        port = MlflowTracking(uri, store_limits(store_timeout=0.3))
        began = time.monotonic()
        with pytest.raises(StoreTimeout, match=r"0\.3 seconds"):
            await port.ready()
        with pytest.raises(StoreTimeout):
            await port.open()
        assert time.monotonic() - began < 20
        await port.close()


async def test_timeout_of_mlflow_client_is_a_store_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """If MLflow's client times out first, the error is the same."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    async with scripted_server([never_respond] * 100) as uri:
        port = MlflowTracking(uri, LIMITS.store)
        with pytest.raises(StoreTimeout):
            await port.ready()
        await port.close()


@pytest.mark.parametrize(
    ("head", "error_class"),
    [
        (b"401 Unauthorized", Unauthenticated),
        (b"403 Forbidden", Forbidden),
        (b"404 Not Found", UnsupportedByStore),
        (b"503 Service Unavailable", StoreUnavailable),
        (b"429 Too Many Requests", StoreUnavailable),
    ],
)
async def test_http_status_becomes_public_error(head: bytes, error_class: type[PublicError]) -> None:
    """The error follows the HTTP status and does not quote the body."""
    async with static_server(head) as uri:
        port = MlflowTracking(uri, LIMITS.store)
        with pytest.raises(error_class) as caught:
            await port.ready()
        assert "127.0.0.1" not in str(caught.value)
        if error_class is not StoreUnavailable:
            with pytest.raises(StoreConfigError, match=uri):
                await port.open()
        await port.close()


@pytest.mark.parametrize(
    ("head", "content"),
    [
        (b"200 OK", b"<html>Log in at http://idp.example</html>"),
        (b"200 OK", b"[]"),
        (b"200 OK", b'{"experiments": 5}'),
        (b"302 Found", b""),
        (b"400 Bad Request", b"<h1>Plain HTTP was sent to an HTTPS port</h1>"),
    ],
)
async def test_foreign_response_is_store_error(
    head: bytes, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A response that is not MLflow's is a store error; it is logged and not quoted."""
    async with static_server(head, content) as uri:
        port = MlflowTracking(uri, LIMITS.store)
        with pytest.raises(StoreUnavailable, match="is not MLflow") as caught:
            await port.ready()
        assert "http" not in str(caught.value)
        assert "not MLflow's: " in caplog.text
        with pytest.raises(StoreConfigError, match=f"{uri}: there is no MLflow server at this address"):
            await port.open()
        await port.close()


async def test_deleted_sqlite_file_is_unavailable(sqlite_store: Store, tmp_path: Path) -> None:
    """A deleted SQLite file is neither read nor created, and is read again once it is back."""
    path, moved = tmp_path / "mlflow.db", tmp_path / "aside.db"
    port = MlflowTracking(sqlite_store.uri, LIMITS.store, create=True)
    await port.open()
    path.rename(moved)
    for _ in range(2):
        with pytest.raises(StoreUnavailable) as caught:
            await port.count_experiments(EVERYTHING)
        assert "mlflow.db" not in str(caught.value)
        await asyncio.sleep(0.1)
    assert not path.exists()
    moved.rename(path)
    await wait_until_ready(port)
    assert await port.count_experiments(EVERYTHING) == 1
    await port.close()


async def test_replaced_sqlite_file_is_reopened(
    sqlite_store: Store, sqlite_template: Path, tmp_path: Path
) -> None:
    """A SQLite file that was replaced is opened again."""
    port = MlflowTracking(sqlite_store.uri, LIMITS.store)
    assert await port.count_experiments(EVERYTHING) == 1
    shutil.copyfile(sqlite_template, tmp_path / "other.db")
    (tmp_path / "other.db").rename(tmp_path / "mlflow.db")
    assert await port.count_experiments(EVERYTHING) == 0
    await port.close()


async def test_deleted_folder_is_unavailable(file_store: Store, tmp_path: Path) -> None:
    """A file store without its folder is unavailable until the folder is back."""
    port = MlflowTracking(file_store.uri, LIMITS.store)
    assert await port.count_experiments(EVERYTHING) == 1
    (tmp_path / "mlruns").rename(tmp_path / "aside")
    with pytest.raises(StoreUnavailable):
        await port.count_experiments(EVERYTHING)
    (tmp_path / "aside").rename(tmp_path / "mlruns")
    await wait_until_ready(port)
    await port.close()


async def test_config_error_after_start_is_unavailable(sqlite_store: Store, tmp_path: Path) -> None:
    """After the start no error ends the server: an unusable database is unavailable."""
    port = MlflowTracking(sqlite_store.uri, LIMITS.store)
    await port.open()
    (tmp_path / "mlflow.db").unlink()
    (tmp_path / "mlflow.db").touch()
    with pytest.raises(StoreUnavailable, match="log has the reason"):
        await port.ready()
    await port.close()
