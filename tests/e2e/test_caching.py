"""Answers from the cache, over HTTP and a real store."""

from tests.support.graphql_client import graphql_client
from tests.support.servers import free_port
from tests.support.stores import Store

COUNT = "{ runs { totalCount } }"
KEPT = 600.0
"""Seconds: longer than any test takes."""


async def test_the_same_question_is_answered_once(sqlite_store: Store) -> None:
    """The same question again gets the same bytes, with their age, and the counts say so."""
    async with graphql_client(sqlite_store.uri, cache_running_seconds=KEPT) as ask:
        first = await ask.response(COUNT)
        sqlite_store.client.create_run("0")
        second = await ask.response(COUNT)
        health = (await ask.http.get("/healthz")).json()
    assert "age" not in first.headers
    assert 0 <= int(second.headers["age"]) < KEPT
    assert second.content == first.content
    assert health["cache"]["answers"] == {"hits": 1, "misses": 1}


async def test_a_request_may_want_it_anew(sqlite_store: Store) -> None:
    """With Cache-Control: no-cache what was just logged is seen, and those who ask next see it too."""
    async with graphql_client(sqlite_store.uri, cache_running_seconds=KEPT) as ask:
        await ask.response(COUNT)
        sqlite_store.client.create_run("0")
        body = {"query": COUNT}
        anew = await ask.http.post("/graphql", json=body, headers={"cache-control": "no-cache"})
        assert anew.json() == {"data": {"runs": {"totalCount": 1}}}
        assert (await ask.data(COUNT)) == {"runs": {"totalCount": 1}}


async def test_what_runs_is_seen_soon(sqlite_store: Store) -> None:
    """Nothing that may change is kept longer than the setting says."""
    async with graphql_client(sqlite_store.uri, cache_running_seconds=0) as ask:
        await ask.response(COUNT)
        sqlite_store.client.create_run("0")
        assert (await ask.data(COUNT)) == {"runs": {"totalCount": 1}}


async def test_errors_are_not_kept(sqlite_store: Store) -> None:
    """An answer with an error is made anew each time."""
    async with graphql_client(sqlite_store.uri) as ask:
        for _ in range(2):
            response = await ask.response("{ runs(first: -1) { totalCount } }")
            assert response.json()["errors"]
            assert "age" not in response.headers


async def test_variables_are_part_of_the_question(sqlite_store: Store) -> None:
    """The same document with other variables is another question."""
    query = "query ($id: ID) { experiment(experimentId: $id) { name } }"
    async with graphql_client(sqlite_store.uri) as ask:
        assert (await ask.data(query, id="0"))["experiment"] == {"name": "Default"}
        assert (await ask.data(query, id="1"))["experiment"] is None


async def test_replicas_share_a_redis(sqlite_store: Store, redis_url: str) -> None:
    """Two servers with the same Redis give each other's answers."""
    async with (
        graphql_client(
            sqlite_store.uri, cache_running_seconds=KEPT, cache_url=redis_url, cache_timeout=5
        ) as one,
        graphql_client(
            sqlite_store.uri, cache_running_seconds=KEPT, cache_url=redis_url, cache_timeout=5
        ) as other,
    ):
        first = await one.response(COUNT)
        second = await other.response(COUNT)
    assert second.content == first.content
    assert "age" in second.headers


async def test_without_its_redis_the_server_answers(sqlite_store: Store) -> None:
    """Where Redis is gone the answers come from the store."""
    async with graphql_client(sqlite_store.uri, cache_url=f"redis://127.0.0.1:{free_port()}") as ask:
        for _ in range(2):
            assert (await ask.data(COUNT)) == {"runs": {"totalCount": 0}}
