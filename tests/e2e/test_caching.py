"""Cached responses, over HTTP and a real store."""

from tests.support.app.graphql_client import graphql_client
from tests.support.servers.free_ports import free_port
from tests.support.stores.store import Store

COUNT = "{ runs { totalCount } }"
TTL_SECONDS = 600.0
"""Seconds, more than any test takes."""


async def test_repeated_query_is_served_from_the_cache(sqlite_store: Store) -> None:
    """A repeated query gets the same bytes with their age, and the statistics count a hit."""
    async with graphql_client(sqlite_store.uri, cache_running_seconds=TTL_SECONDS) as graphql:
        first = await graphql.response(COUNT)
        sqlite_store.client.create_run("0")
        second = await graphql.response(COUNT)
        health = (await graphql.http.get("/healthz")).json()
    assert "age" not in first.headers
    assert 0 <= int(second.headers["age"]) < TTL_SECONDS
    assert second.content == first.content
    assert health["cache"]["answers"] == {"hits": 1, "misses": 1}


async def test_no_cache_reads_from_the_store(sqlite_store: Store) -> None:
    """Cache-Control: no-cache returns what was just logged, and updates the cache for later requests."""
    async with graphql_client(sqlite_store.uri, cache_running_seconds=TTL_SECONDS) as graphql:
        await graphql.response(COUNT)
        sqlite_store.client.create_run("0")
        body = {"query": COUNT}
        refreshed = await graphql.http.post("/graphql", json=body, headers={"cache-control": "no-cache"})
        assert refreshed.json() == {"data": {"runs": {"totalCount": 1}}}
        assert (await graphql.data(COUNT)) == {"runs": {"totalCount": 1}}


async def test_running_runs_are_cached_briefly(sqlite_store: Store) -> None:
    """Data that may change is cached no longer than the setting allows."""
    async with graphql_client(sqlite_store.uri, cache_running_seconds=0) as graphql:
        await graphql.response(COUNT)
        sqlite_store.client.create_run("0")
        assert (await graphql.data(COUNT)) == {"runs": {"totalCount": 1}}


async def test_errors_are_not_cached(sqlite_store: Store) -> None:
    """A response with an error is not cached."""
    async with graphql_client(sqlite_store.uri) as graphql:
        for _ in range(2):
            response = await graphql.response("{ runs(first: -1) { totalCount } }")
            assert response.json()["errors"]
            assert "age" not in response.headers


async def test_variables_are_part_of_the_cache_key(sqlite_store: Store) -> None:
    """The same document with other variables is another entry of the cache."""
    query = "query ($id: ID) { experiment(experimentId: $id) { name } }"
    async with graphql_client(sqlite_store.uri) as graphql:
        assert (await graphql.data(query, id="0"))["experiment"] == {"name": "Default"}
        assert (await graphql.data(query, id="1"))["experiment"] is None


async def test_replicas_share_redis(sqlite_store: Store, redis_url: str) -> None:
    """Two servers with the same Redis share cached responses."""
    async with (
        graphql_client(
            sqlite_store.uri, cache_running_seconds=TTL_SECONDS, cache_url=redis_url, cache_timeout=5
        ) as one,
        graphql_client(
            sqlite_store.uri, cache_running_seconds=TTL_SECONDS, cache_url=redis_url, cache_timeout=5
        ) as other,
    ):
        first = await one.response(COUNT)
        second = await other.response(COUNT)
    assert second.content == first.content
    assert "age" in second.headers


async def test_server_works_without_redis(sqlite_store: Store) -> None:
    """If Redis is unreachable, responses are read from the store."""
    async with graphql_client(sqlite_store.uri, cache_url=f"redis://127.0.0.1:{free_port()}") as graphql:
        for _ in range(2):
            assert (await graphql.data(COUNT)) == {"runs": {"totalCount": 0}}
