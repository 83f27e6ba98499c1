"""How the server stops: announced, after what is under way, and with a word to whoever waited in vain."""

import asyncio
import signal

import pytest

from gql_server.runtime.shutdown import Shutdown
from tests.support.odd_server import refuse, saying, silence
from tests.support.server_process import running_server


async def busy(writer: asyncio.StreamWriter) -> None:
    """Answer a start that looks for the store: it goes on without."""
    writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")


async def test_stopping_is_announced() -> None:
    """At SIGTERM the process is not ready at once, and is told to stop after the delay; again, at once."""
    told = asyncio.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: told.set())
    try:
        stopping = Shutdown()
        with stopping.announced(3600, 10):
            signal.raise_signal(signal.SIGTERM)
            assert stopping.begun
            await asyncio.sleep(0)
            assert not told.is_set()
            signal.raise_signal(signal.SIGTERM)
            await asyncio.wait_for(told.wait(), 10)
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_what_is_ending_does_not_keep_others_from_it() -> None:
    """An operation that passed its deadline, and takes a while to end, leaves the others to be ended too."""
    stopping, ending, go_on = Shutdown(), asyncio.Event(), asyncio.Event()

    async def operation(seconds: float | None) -> None:
        async with asyncio.timeout(seconds) as limit:
            with stopping.ends(limit):
                try:
                    await asyncio.sleep(600)
                finally:
                    ending.set()
                    await go_on.wait()

    tasks = [asyncio.create_task(operation(seconds)) for seconds in (0.01, 600, None)]
    await asyncio.wait_for(ending.wait(), 20)
    try:
        for _ in range(2):
            stopping.give_up()
            await asyncio.sleep(0)
    finally:
        go_on.set()
    ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)
    assert [type(error) for error in ended] == [TimeoutError] * 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stopping_lets_what_runs_finish_or_says_so(number: signal.Signals) -> None:
    """What ends in time is answered; what does not is told to ask again, in JSON; then the process ends."""
    asked, stopped = asyncio.Semaphore(0), asyncio.Event()

    async def soon(writer: asyncio.StreamWriter) -> None:
        asked.release()
        await stopped.wait()
        await asyncio.sleep(0.5)
        await refuse(writer)

    async def never(writer: asyncio.StreamWriter) -> None:
        asked.release()
        await silence(writer)

    async with saying([busy, busy, soon, never]) as uri:
        server = running_server("--tracking-uri", uri, "--shutdown-delay", "0", "--shutdown-timeout", "5")
        held = await asyncio.to_thread(server.__enter__)
        try:
            queries = [f"{{ experiment(experimentId: {place}) {{ name }} }}" for place in range(2)]
            first = asyncio.create_task(asyncio.to_thread(held.query, queries[0]))
            await asyncio.wait_for(asked.acquire(), 30)
            second = asyncio.create_task(asyncio.to_thread(held.query, queries[1]))
            await asyncio.wait_for(asked.acquire(), 30)
            held.process.send_signal(number)
            stopped.set()
            assert "no such function" in (await first).json()["errors"][0]["message"]
            refused = await second
            assert refused.status_code == 503
            assert refused.headers["retry-after"]
            assert refused.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
            assert await asyncio.to_thread(held.process.wait, 20) in {0, -number, 128 + number}
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)


async def test_a_change_that_stopping_interrupts_is_in_doubt() -> None:
    """Who waits for a change when the process has to end is told so, and not to send it again."""
    asked = asyncio.Event()

    async def quiet(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await silence(writer)

    async with saying([busy, busy, quiet]) as uri:
        options = ("--tracking-uri", uri, "--writable", "--shutdown-delay", "0", "--shutdown-timeout", "2")
        server = running_server(*options)
        held = await asyncio.to_thread(server.__enter__)
        try:
            document = 'mutation { createExperiment(input: {name: "a"}) { experiment { name } } }'
            change = asyncio.create_task(asyncio.to_thread(held.query, document))
            await asyncio.wait_for(asked.wait(), 20)
            held.process.send_signal(signal.SIGTERM)
            refused = await change
            assert refused.status_code == 503
            assert "retry-after" not in refused.headers
            assert "may or may not have been applied" in refused.json()["errors"][0]["message"]
        finally:
            held.process.kill()
            await asyncio.to_thread(server.__exit__, None, None, None)
