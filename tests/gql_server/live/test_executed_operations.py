"""Tests of the events of queries and mutations."""

import asyncio
from typing import Any

import pytest

from gql_server.auth.caller import ANONYMOUS
from gql_server.cache.response_cache import CachedResponse
from gql_server.config.settings import Settings
from gql_server.http.graphql_request import GraphQLRequest
from gql_server.observability.request_record import RequestRecord
from tests.support.app.small_app import SmallApp


@pytest.mark.parametrize(
    ("query", "is_finished"), [("mutation { write }", True), ("{ a: __typename }", False)]
)
async def test_cancelled_mutation_is_executed_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    is_finished: bool,  # noqa: FBT001
) -> None:
    """A mutation whose client leaves is not cancelled, which would leave a part of it applied; a query is."""
    app = SmallApp(Settings(tracking_uri="unused:", writable=True))
    started, may_end, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def execute(*_: Any) -> CachedResponse:
        started.set()
        await may_end.wait()
        finished.set()
        return CachedResponse(b"{}", None)

    monkeypatch.setattr(app.requests, "execute", execute)
    request = GraphQLRequest(query, {}, None)
    events = app.events.events(request, ANONYMOUS, RequestRecord())

    async def first() -> bytes:
        return await anext(events)

    task = asyncio.create_task(first())
    await started.wait()
    task.cancel()
    await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert finished.is_set() is is_finished
