"""A semaphore that is shared out by client."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Hashable
from contextvars import ContextVar
from typing import Final

current_client: Final[ContextVar[Hashable]] = ContextVar("current_client", default=None)
"""Who a request is from: its caller, or the address of an anonymous one."""


class Permit:
    """Some places of a semaphore; `release` gives them back, once."""

    __slots__ = ("_client", "_semaphore", "_weight")

    def __init__(self, semaphore: "FairSemaphore", client: Hashable, weight: int) -> None:
        self._semaphore: FairSemaphore | None = semaphore
        self._client = client
        self._weight = weight

    def release(self) -> None:
        """Give the places back, and let the next client have them."""
        semaphore, self._semaphore = self._semaphore, None
        if semaphore is not None:
            semaphore.give_back(self._client, self._weight)


class FairSemaphore:
    """`size` places, of which one client has at most `share`; clients that wait take turns.

    It is for one event loop.
    """

    def __init__(self, size: int, share: int) -> None:
        self._free = size
        self._share = share
        self._held: Counter[Hashable] = Counter()
        self._waiting: OrderedDict[Hashable, deque[tuple[int, asyncio.Future[Permit]]]] = OrderedDict()

    async def acquire(self, weight: int = 1) -> Permit:
        """Wait until the client of this context may have `weight` places, or its share if that is less."""
        client, weight = current_client.get(), max(1, min(weight, self._share))
        if client not in self._waiting and self._may_have(client, weight):
            return self._take(client, weight)
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append((weight, future))
        try:
            permit: Permit = await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                future.result().release()
            self._grant()
            raise
        return permit

    def give_back(self, client: Hashable, weight: int) -> None:
        """Take back places of a client."""
        self._free += weight
        self._held[client] -= weight
        if not self._held[client]:
            del self._held[client]
        self._grant()

    def _may_have(self, client: Hashable, weight: int) -> bool:
        return weight <= self._free and self._held[client] + weight <= self._share

    def _take(self, client: Hashable, weight: int) -> Permit:
        self._free -= weight
        self._held[client] += weight
        return Permit(self, client, weight)

    def _grant(self) -> None:
        """Give free places to those who wait, to each client in its turn, until none may have more."""
        clients = deque(self._waiting)
        while clients:
            client = clients.popleft()
            queue = self._waiting[client]
            while queue and queue[0][1].done():
                queue.popleft()
            if not queue:
                del self._waiting[client]
            elif self._may_have(client, queue[0][0]):
                weight, future = queue.popleft()
                future.set_result(self._take(client, weight))
                self._waiting.move_to_end(client)
                clients.append(client)
