"""Long computations take turns on the event loop."""

import asyncio

from schema.engine.turns import Turns


async def test_one_computation_runs_in_each_iteration() -> None:
    """Other tasks run between any two turns, of the same computation and of two."""
    turns, taken, iteration = Turns(), [], 0

    async def count() -> None:
        nonlocal iteration
        while True:
            iteration += 1
            await asyncio.sleep(0)

    async def compute() -> None:
        for _ in range(3):
            await turns.take()
            taken.append(iteration)

    counting = asyncio.create_task(count())
    await asyncio.gather(*(compute() for _ in range(10)))
    counting.cancel()
    assert len(taken) == 30
    assert len(set(taken)) == 30


async def test_computations_alternate() -> None:
    """A computation of many turns does not delay one that begins later."""
    turns, order = Turns(), []

    async def compute(name: str) -> None:
        for _ in range(3):
            await turns.take()
            order.append(name)

    await asyncio.gather(compute("a"), compute("b"))
    assert order.index("b") <= 2
    assert order.index("a", 3) == 3


async def test_turn_of_a_cancelled_computation_passes_on() -> None:
    """Those who wait behind it get their turns."""
    turns = Turns()
    await turns.take()
    waiting = [asyncio.create_task(turns.take()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.gather(*waiting[1:])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await asyncio.wait_for(turns.take(), 10)
