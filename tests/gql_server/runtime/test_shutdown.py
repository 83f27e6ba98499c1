"""Graceful shutdown: readiness fails first, operations in flight finish or get a response."""

import asyncio
import signal

import pytest

from gql_server.runtime.shutdown import Shutdown
from tests.support.servers.scripted_server import never_respond, respond_not_found, scripted_server
from tests.support.servers.server_process import running_server


async def busy(writer: asyncio.StreamWriter) -> None:
    """Respond with 503 to the requests of the server's start, which ignores the error."""
    writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")


async def test_signal_is_forwarded_after_delay() -> None:
    """The first SIGTERM starts the shutdown and is forwarded after the delay; the second one at once."""
    forwarded = asyncio.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: forwarded.set())
    try:
        shutdown = Shutdown()
        with shutdown.handle_signals(3600, 10):
            signal.raise_signal(signal.SIGTERM)
            assert shutdown.started
            await asyncio.sleep(0)
            assert not forwarded.is_set()
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(forwarded.wait(), 10)
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_timed_out_operation_does_not_prevent_cancellation_of_others() -> None:
    """All operations are cancelled, though one has timed out already and is slow to end."""
    shutdown, ending, go_on = Shutdown(), asyncio.Event(), asyncio.Event()

    async def operation(seconds: float | None) -> None:
        async with asyncio.timeout(seconds) as timeout:
            with shutdown.track(timeout):
                try:
                    await asyncio.sleep(600)
                finally:
                    ending.set()
                    await go_on.wait()

    tasks = [asyncio.create_task(operation(seconds)) for seconds in (0.01, 600, None)]
    await asyncio.wait_for(ending.wait(), 20)
    try:
        for _ in range(2):
            shutdown.cancel_operations()
            await asyncio.sleep(0)
    finally:
        go_on.set()
    results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)
    assert [type(error) for error in results] == [TimeoutError] * 3


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
async def test_operations_finish_or_get_503_at_shutdown(signal_number: signal.Signals) -> None:
    """An operation that ends in time gets its result, a later one a 503 with Retry-After, in JSON."""
    received, stopped = asyncio.Semaphore(0), asyncio.Event()

    async def soon(writer: asyncio.StreamWriter) -> None:
        received.release()
        await stopped.wait()
        await asyncio.sleep(0.5)
        await respond_not_found(writer)

    async def never(writer: asyncio.StreamWriter) -> None:
        received.release()
        await never_respond(writer)

    async with scripted_server([busy, busy, soon, never]) as uri:
        context = running_server("--tracking-uri", uri, "--shutdown-delay", "0", "--shutdown-timeout", "5")
        server = await asyncio.to_thread(context.__enter__)
        try:
            queries = [f"{{ experiment(experimentId: {number}) {{ name }} }}" for number in range(2)]
            first = asyncio.create_task(asyncio.to_thread(server.query, queries[0]))
            await asyncio.wait_for(received.acquire(), 30)
            second = asyncio.create_task(asyncio.to_thread(server.query, queries[1]))
            await asyncio.wait_for(received.acquire(), 30)
            server.process.send_signal(signal_number)
            stopped.set()
            assert "no such function" in (await first).json()["errors"][0]["message"]
            response = await second
            assert response.status_code == 503
            assert response.headers["retry-after"]
            assert response.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
            exit_codes = {0, -signal_number, 128 + signal_number}
            assert await asyncio.to_thread(server.process.wait, 20) in exit_codes
        finally:
            await asyncio.to_thread(context.__exit__, None, None, None)


async def test_mutation_interrupted_by_shutdown_gets_503_without_retry_after() -> None:
    """The response says that the change may have been applied, and has no Retry-After."""
    received = asyncio.Event()

    async def silent(writer: asyncio.StreamWriter) -> None:
        received.set()
        await never_respond(writer)

    async with scripted_server([busy, busy, silent]) as uri:
        options = ("--tracking-uri", uri, "--writable", "--shutdown-delay", "0", "--shutdown-timeout", "2")
        context = running_server(*options)
        server = await asyncio.to_thread(context.__enter__)
        try:
            document = 'mutation { createExperiment(input: {name: "a"}) { experiment { name } } }'
            change = asyncio.create_task(asyncio.to_thread(server.query, document))
            await asyncio.wait_for(received.wait(), 20)
            server.process.send_signal(signal.SIGTERM)
            response = await change
            assert response.status_code == 503
            assert "retry-after" not in response.headers
            assert "may or may not have been applied" in response.json()["errors"][0]["message"]
        finally:
            server.process.kill()
            await asyncio.to_thread(context.__exit__, None, None, None)
