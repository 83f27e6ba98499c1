"""A semaphore that is shared out by client."""

import asyncio
from collections.abc import Hashable

from gql_server.runtime.fair_semaphore import FairSemaphore, Permit, current_client


def _acquire(semaphore: FairSemaphore, client: Hashable, weight: int = 1) -> asyncio.Task[Permit]:
    async def acquire() -> Permit:
        current_client.set(client)
        return await semaphore.acquire(weight)

    return asyncio.create_task(acquire())


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_client_has_its_share_at_most() -> None:
    """Others have the rest at once, however many wait for the first."""
    semaphore = FairSemaphore(4, 3)
    greedy = [_acquire(semaphore, "greedy") for _ in range(20)]
    await _settle()
    assert sum(task.done() for task in greedy) == 3
    other = _acquire(semaphore, "other")
    await _settle()
    assert other.done()
    (await other).release()
    await _settle()
    assert sum(task.done() for task in greedy) == 3
    for task in greedy:
        (await task).release()


async def test_waiting_clients_take_turns() -> None:
    """A client that comes later gets the next free place, although others wait longer."""
    semaphore = FairSemaphore(1, 1)
    held = await _acquire(semaphore, "a")
    order: list[str] = []

    async def work(client: str) -> None:
        permit = await _acquire(semaphore, client)
        order.append(client)
        permit.release()

    tasks = [asyncio.create_task(work(client)) for client in "aaab"]
    await _settle()
    held.release()
    await asyncio.gather(*tasks)
    assert order.index("b") <= 1


async def test_weight_counts_as_places_up_to_the_share() -> None:
    """A heavy call leaves no place to its client, and a place to others."""
    semaphore = FairSemaphore(4, 3)
    heavy = await _acquire(semaphore, "a", 100)
    light = _acquire(semaphore, "a")
    other = await _acquire(semaphore, "b")
    await _settle()
    assert not light.done()
    heavy.release()
    heavy.release()
    (await light).release()
    other.release()
    full = [await _acquire(semaphore, client) for client in "abab"]
    assert not _acquire(semaphore, "c").done()
    for permit in full:
        permit.release()


async def test_heavy_call_is_not_passed_for_ever() -> None:
    """A call that needs several places gets them, although others always wait for single ones."""
    semaphore = FairSemaphore(4, 3)
    passed: list[str] = []

    async def work(client: str) -> None:
        permit = await _acquire(semaphore, client)
        passed.append(client)
        await _settle()
        permit.release()

    light = [asyncio.create_task(work(f"client {number}")) for number in range(40)]
    await _settle()
    heavy = _acquire(semaphore, "heavy", 3)
    heavy.add_done_callback(lambda _: passed.append("heavy"))
    more = [asyncio.create_task(work(f"later {number}")) for number in range(40)]
    (await heavy).release()
    await asyncio.gather(*light, *more)
    # Those that waited before it, and at most as many later ones as there are places.
    assert passed.index("heavy") < 40 + 4 + 4


async def test_heavy_call_that_leaves_lets_others_go_on() -> None:
    """If a call for which others wait is cancelled, they get the places."""
    semaphore = FairSemaphore(2, 2)
    held = await _acquire(semaphore, "a")
    heavy = _acquire(semaphore, "heavy", 2)
    await _settle()
    for number in range(2):
        (await _acquire(semaphore, f"light {number}")).release()
    waiting = _acquire(semaphore, "light")
    await _settle()
    assert not waiting.done()
    heavy.cancel()
    (await waiting).release()
    held.release()
    assert semaphore.waiting == 0


async def test_all_places_that_are_given_back_are_given_out() -> None:
    """Those of a heavy call go to as many light ones of one client as they are."""
    semaphore = FairSemaphore(4, 3)
    heavy = await _acquire(semaphore, "a", 3)
    light = [_acquire(semaphore, "a") for _ in range(4)]
    await _settle()
    heavy.release()
    await _settle()
    assert [task.done() for task in light] == [True, True, True, False]
    for task in light:
        (await task).release()


async def test_cancelled_waiters_leave_no_place_taken() -> None:
    """One that is cancelled while it waits, or just after it got its place, gives it up."""
    semaphore = FairSemaphore(1, 1)
    held = await _acquire(semaphore, "a")
    first, second, third = (_acquire(semaphore, client) for client in "bcd")
    await _settle()
    first.cancel()
    await _settle()
    held.release()
    second.cancel()
    (await asyncio.wait_for(third, 10)).release()
    ends = await asyncio.gather(first, second, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends)
    (await asyncio.wait_for(_acquire(semaphore, "e"), 10)).release()
