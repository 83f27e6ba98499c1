"""Cancelled requests end at once and free their threads."""

import asyncio
import ssl
from contextvars import copy_context
from pathlib import Path

import pytest
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request

from gql_server.runtime.cancellable_http import CancellableRequest, current_request
from gql_server.stores.mlflow.http_settings import configure_http
from gql_server.stores.mlflow.tracking import MlflowTracking
from schema.ports.errors import StoreUnavailable, UnsupportedByStore
from tests.support.app.graphql_client import graphql_client
from tests.support.azure.certificate import write_certificate
from tests.support.limits import store_limits
from tests.support.servers.scripted_server import (
    NOT_FOUND,
    Respond,
    never_respond,
    respond_not_found,
    respond_slowly,
    scripted_server,
)


@pytest.fixture(params=[False, True], ids=["http", "https"])
def context(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ssl.SSLContext | None:
    """Return the TLS context of the server; None for a server without TLS."""
    if not request.param:
        return None
    certificate = write_certificate(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def retry_in_an_hour(writer: asyncio.StreamWriter) -> None:
    """Respond with 503 and a Retry-After of an hour."""
    writer.write(b"HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("response", [never_respond, respond_slowly])
async def test_cancelled_call_frees_its_thread(response: Respond, context: ssl.SSLContext | None) -> None:
    """After a call is cancelled, the only thread serves the next call, and the first is not retried."""
    received = asyncio.Event()

    async def abandoned(writer: asyncio.StreamWriter) -> None:
        received.set()
        await response(writer)

    responses: list[Respond] = [abandoned, respond_not_found]
    async with scripted_server(responses, context) as uri:
        port = MlflowTracking(uri, store_limits(store_threads=1, store_timeout=600))
        call = asyncio.create_task(port.ready())
        await asyncio.wait_for(received.wait(), 20)
        # Enough for the client to read the start of the response.
        await asyncio.sleep(0.3)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert responses == [respond_not_found]
        async with asyncio.timeout(20):
            with pytest.raises(UnsupportedByStore):
                await port.ready()
        await port.close()


async def test_operation_timeout_frees_its_thread() -> None:
    """After an operation times out, the only thread serves the next operation."""
    async with (
        scripted_server([never_respond, respond_not_found]) as uri,
        graphql_client(uri, operation_timeout=8, store_timeout=600, store_threads=1) as client,
    ):
        error = await client.error('{ experiment(name: "a") { experimentId } }')
        assert "GQL_OPERATION_TIMEOUT" in error["message"]
        async with asyncio.timeout(20):
            error = await client.error('{ experiment(name: "b") { experimentId } }')
    assert error["extensions"]["code"] == "UNSUPPORTED_BY_STORE"


async def test_long_retry_after_occupies_no_thread() -> None:
    """A Retry-After beyond the deadline fails the call at once and frees its thread."""
    async with scripted_server([retry_in_an_hour, retry_in_an_hour, respond_not_found]) as uri:
        port = MlflowTracking(uri, store_limits(store_threads=1, store_timeout=600))
        async with asyncio.timeout(20):
            with pytest.raises(StoreUnavailable):
                await port.ready()
            with pytest.raises(UnsupportedByStore):
                await port.ready()
        await port.close()


async def test_late_cancellation_spares_reused_connection() -> None:
    """Cancelling a finished request does not end another request on the same connection."""
    received, go_on = asyncio.Event(), asyncio.Event()

    async def delayed(writer: asyncio.StreamWriter) -> None:
        received.set()
        await go_on.wait()
        writer.write(NOT_FOUND)

    configure_http(4, 60)
    first, second = CancellableRequest(), CancellableRequest()

    def send(uri: str, request: CancellableRequest) -> int:
        context = copy_context()
        context.run(current_request.set, request)
        response = context.run(http_request, get_default_host_creds(uri), "/api/2.0/mlflow/x", "GET")
        status: int = response.status_code
        return status

    async with scripted_server([respond_not_found, delayed]) as uri:
        assert await asyncio.to_thread(send, uri, first) == 404
        sending_again = asyncio.create_task(asyncio.to_thread(send, uri, second))
        await asyncio.wait_for(received.wait(), 20)
        first.cancel()
        go_on.set()
        assert await asyncio.wait_for(sending_again, 20) == 404
