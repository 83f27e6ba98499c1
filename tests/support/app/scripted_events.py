"""Events that a test decides."""

import asyncio
from collections.abc import AsyncGenerator

from typing_extensions import override

from gql_server.auth.caller import Caller
from gql_server.http.graphql_request import GraphQLRequest
from gql_server.live.operation_events import OperationEvents
from gql_server.observability.request_record import RequestRecord


class ScriptedEvents(OperationEvents):
    """Yields the given results, then raises the error if there is one, and else waits or ends.

    `callers`, `requests` and `loops` are those of the operations so far, and `running` counts the ones that
    have not ended. `waiting` is set when one waits.
    """

    def __init__(self, *results: bytes, error: Exception | None = None, waits: bool = False) -> None:
        self.results = results
        self.error = error
        self.waits = waits
        self.running = 0
        self.waiting = asyncio.Event()
        self.loops: set[asyncio.AbstractEventLoop] = set()
        self.callers: list[Caller] = []
        self.requests: list[GraphQLRequest] = []

    @override
    async def events(
        self, request: GraphQLRequest, caller: Caller, record: RequestRecord
    ) -> AsyncGenerator[bytes, None]:
        self.loops.add(asyncio.get_running_loop())
        self.callers.append(caller)
        self.requests.append(request)
        record.set_document(request.operation_name, request.query)
        self.running += 1
        try:
            for result in self.results:
                yield result
            if self.error is not None:
                raise self.error
            if self.waits:
                self.waiting.set()
                await asyncio.Event().wait()
        finally:
            self.running -= 1
