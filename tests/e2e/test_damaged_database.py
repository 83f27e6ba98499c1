"""A SQLite file that is damaged or deleted while it is served is STORE_UNAVAILABLE everywhere, and logged."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.app.artifact_owners import UNCACHED
from tests.support.app.graphql_client import graphql_client
from tests.support.app.mutations import mutate, mutation_error
from tests.support.stores.store import Store


def _fill_with_garbage(path: Path) -> None:
    path.write_bytes(b"garbage " * (path.stat().st_size // 8))


def _damage_pages(path: Path) -> None:
    """Keep the first page, with another change counter, and overwrite all others."""
    content = path.read_bytes()
    first = content[:24] + b"\xff\xff\xff\xff" + content[28:4096]
    path.write_bytes(first + b"\xff" * (len(content) - len(first)))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:10_000])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _delete(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [_fill_with_garbage, _damage_pages, _cut, _empty, _delete])
@pytest.mark.parametrize("first", ["graphql", "readyz", "tables"])
async def test_damaged_file_is_unavailable(
    sqlite_store: Store, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None], first: str
) -> None:
    """/graphql, /readyz and /tables respond with 503 in JSON, and the log has the reason."""
    sqlite_store.client.create_run("0", run_name="x")
    path = Path(sqlite_store.uri.removeprefix("sqlite:///"))
    async with graphql_client(sqlite_store.uri, **UNCACHED) as graphql:
        query = "{ runs { nodes { name tags { key } metrics { key } } } }"
        assert (await graphql.data(query))["runs"]["nodes"][0]["name"] == "x"
        damage(path)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            order = sorted(["graphql", "readyz", "tables"], key=lambda each: each != first)
            for target in order * 2:
                if target == "graphql":
                    error = await graphql.error(query)
                    assert error["extensions"]["code"] == "STORE_UNAVAILABLE"
                    assert str(path) not in error["message"]
                    continue
                response = await graphql.http.get("/readyz" if target == "readyz" else "/tables/runs.csv")
                assert (target, response.status_code) == (target, 503)
                body = response.json()
                assert target == "readyz" or body["errors"][0]["extensions"]["code"] == "STORE_UNAVAILABLE"
                assert str(path) not in response.text
    assert caplog.records


@pytest.mark.parametrize("damage", [_fill_with_garbage, _damage_pages, _cut, _empty, _delete])
async def test_change_of_a_damaged_file_is_unavailable(
    sqlite_store: Store, damage: Callable[[Path], None]
) -> None:
    """A change of a damaged or deleted file is STORE_UNAVAILABLE."""
    path = Path(sqlite_store.uri.removeprefix("sqlite:///"))
    async with graphql_client(sqlite_store.uri, writable=True, **UNCACHED) as graphql:
        await mutate(graphql, "createExperiment", name="a")
        damage(path)
        for _ in range(2):
            code, message = await mutation_error(graphql, "createExperiment", name="b")
            assert (code, str(path) in message) == ("STORE_UNAVAILABLE", False), message
