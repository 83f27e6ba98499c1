"""Requests that nobody waits for any more end at once, and their threads are free."""

import asyncio
import ssl
from contextvars import copy_context
from pathlib import Path

import pytest
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request

from gql_server.runtime.cancellable_http import CancellableRequest, reading
from gql_server.stores.mlflow.open_store import prepare_http
from gql_server.stores.mlflow.tracking import MlflowTracking
from schema.ports.errors import StoreUnavailable, UnsupportedByStore
from tests.support.azure.certificate import write_certificate
from tests.support.graphql_client import graphql_client
from tests.support.odd_server import MISSING, Answer, refuse, saying, silence, trickle


@pytest.fixture(params=[False, True], ids=["http", "https"])
def context(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ssl.SSLContext | None:
    """Give what a server needs for TLS, or None for a server without."""
    if not request.param:
        return None
    certificate = write_certificate(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def later(writer: asyncio.StreamWriter) -> None:
    """Ask for patience: an hour of it."""
    writer.write(b"HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("answer", [silence, trickle])
async def test_a_call_that_is_left_frees_its_thread(answer: Answer, context: ssl.SSLContext | None) -> None:
    """The only thread answers the next call, and what was left is not asked again."""
    asked = asyncio.Event()

    async def left(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await answer(writer)

    answers: list[Answer] = [left, refuse]
    async with saying(answers, context) as uri:
        port = MlflowTracking(uri, threads=1, timeout=600)
        call = asyncio.create_task(port.ready())
        await asyncio.wait_for(asked.wait(), 20)
        # As long as it takes to read that an answer begins.
        await asyncio.sleep(0.3)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert answers == [refuse]
        async with asyncio.timeout(20):
            with pytest.raises(UnsupportedByStore):
                await port.ready()
        await port.close()


async def test_a_deadline_frees_the_thread_of_a_server() -> None:
    """An operation that passes its deadline leaves nothing behind that the next would wait for."""
    async with (
        saying([silence, refuse]) as uri,
        graphql_client(uri, operation_timeout=8, store_timeout=600, store_threads=1) as ask,
    ):
        error = await ask.error('{ experiment(name: "a") { experimentId } }')
        assert "GQL_OPERATION_TIMEOUT" in error["message"]
        async with asyncio.timeout(20):
            error = await ask.error('{ experiment(name: "b") { experimentId } }')
    assert error["extensions"]["code"] == "UNSUPPORTED_BY_STORE"


async def test_an_hour_of_patience_is_not_slept_through() -> None:
    """A store that wants to be left alone for long keeps no thread meanwhile."""
    async with saying([later, later, refuse]) as uri:
        port = MlflowTracking(uri, threads=1, timeout=600)
        async with asyncio.timeout(20):
            with pytest.raises(StoreUnavailable):
                await port.ready()
            with pytest.raises(UnsupportedByStore):
                await port.ready()
        await port.close()


async def test_a_connection_of_another_is_left_alone() -> None:
    """Who is late to stop what has its answer does not stop what is asked on the same connection since."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def held(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await go_on.wait()
        writer.write(MISSING)

    prepare_http(4, 60)
    first, second = CancellableRequest(), CancellableRequest()

    def ask(uri: str, own: CancellableRequest) -> int:
        context = copy_context()
        context.run(reading.set, own)
        found = context.run(http_request, get_default_host_creds(uri), "/api/2.0/mlflow/x", "GET")
        status: int = found.status_code
        return status

    async with saying([refuse, held]) as uri:
        assert await asyncio.to_thread(ask, uri, first) == 404
        asking_again = asyncio.create_task(asyncio.to_thread(ask, uri, second))
        await asyncio.wait_for(asked.wait(), 20)
        first.stop()
        go_on.set()
        assert await asyncio.wait_for(asking_again, 20) == 404
