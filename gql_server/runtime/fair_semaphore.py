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

    A call that needs several places is passed by `size` calls of others at most. Then no other begins until
    as many places are free. It is for one event loop.
    """

    def __init__(self, size: int, share: int) -> None:
        self._size = self._free = size
        self._share = share
        self._held: Counter[Hashable] = Counter()
        self._waiting: OrderedDict[Hashable, deque[tuple[int, asyncio.Future[Permit]]]] = OrderedDict()
        self._passed: Counter[Hashable] = Counter()
        """How many calls of others have passed the first call of a client that lacked nothing but places."""

    @property
    def waiting(self) -> int:
        """Return the number of calls that wait."""
        return sum(map(len, self._waiting.values()))

    async def acquire(self, weight: int = 1) -> Permit:
        """Wait until the client of this context may have `weight` places, or its share if that is less."""
        client, weight = current_client.get(), max(1, min(weight, self._share))
        if client not in self._waiting and self._next() is None and self._may_have(client, weight):
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

    def _lacks_places(self, client: Hashable) -> bool:
        return self._waiting[client][0][0] > self._free and self._is_within_share(client)

    def _is_within_share(self, client: Hashable) -> bool:
        return self._held[client] + self._waiting[client][0][0] <= self._share

    def _next(self) -> Hashable | None:
        """Return the client that was passed often enough, if there is one."""
        passed = (client for client, count in self._passed.items() if count >= self._size)
        return next((client for client in passed if self._is_within_share(client)), None)

    def _take(self, client: Hashable, weight: int) -> Permit:
        self._passed.update(other for other in self._waiting if other != client and self._lacks_places(other))
        self._free -= weight
        self._held[client] += weight
        return Permit(self, client, weight)

    def _grant(self) -> None:
        """Give free places to those who wait, to each client in its turn, until none may have more."""
        self._drop_cancelled()
        clients = deque(self._waiting)
        while clients:
            chosen = self._next()
            client = clients.popleft() if chosen is None else chosen
            if self._waiting.get(client) and self._may_have(client, self._waiting[client][0][0]):
                self._grant_first(client)
                clients.append(client)
            elif chosen is not None:
                return

    def _grant_first(self, client: Hashable) -> None:
        queue = self._waiting[client]
        weight, future = queue.popleft()
        self._passed.pop(client, None)
        if queue:
            self._waiting.move_to_end(client)
        else:
            del self._waiting[client]
        future.set_result(self._take(client, weight))

    def _drop_cancelled(self) -> None:
        for client, queue in list(self._waiting.items()):
            while queue and queue[0][1].done():
                queue.popleft()
                self._passed.pop(client, None)
            if not queue:
                del self._waiting[client]
