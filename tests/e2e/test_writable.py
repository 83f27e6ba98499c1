"""A writable server: mutations by POST alone, which later queries see despite the cache."""

import asyncio
import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError

from gql_server.config.settings import Settings
from schema.ports.store_kind import StoreKind
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.app.mutations import mutate, mutation_document, mutation_error
from tests.support.servers.server_process import run_command, running_server
from tests.support.stores.store import Store
from tests.support.waiting import wait_until

CREATE = mutation_document("createExperiment")


async def test_server_is_read_only_by_default(sqlite_store: Store) -> None:
    """Without the setting the graph has no mutations, and `server` reports that it is read-only."""
    async with graphql_client(sqlite_store.uri) as graphql:
        error = await graphql.error(CREATE, input={"name": "x"})
        assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert "GQL_WRITABLE" in error["message"]
        without_variables = 'mutation { createExperiment(input: {name: "x"}) { experiment { name } } }'
        assert await graphql.error(without_variables) == error
        assert (await graphql.data("{ __schema { mutationType { name } } }"))["__schema"][
            "mutationType"
        ] is None
        assert await graphql.data("{ server { readOnly } }") == {"server": {"readOnly": True}}
    async with graphql_client(sqlite_store.uri, writable=True) as graphql:
        assert await graphql.data("{ server { readOnly } }") == {"server": {"readOnly": False}}
    assert [experiment.name for experiment in sqlite_store.client.search_experiments()] == ["Default"]


async def test_server_info_is_not_shared_through_redis(sqlite_store: Store, redis_url: str) -> None:
    """A read-only and a writable server share cached data, but not the information on themselves."""
    shared = {"cache_url": redis_url, "cache_timeout": 5}
    async with (
        graphql_client(sqlite_store.uri, **shared) as reader,
        graphql_client(sqlite_store.uri, writable=True, **shared) as writer,
    ):
        assert await reader.data("{ server { readOnly } }") == {"server": {"readOnly": True}}
        assert await writer.data("{ server { readOnly } }") == {"server": {"readOnly": False}}
        query = "{ experiments { totalCount } }"
        assert await reader.data(query) == {"experiments": {"totalCount": 1}}
        await mutate(writer, "createExperiment", name="x")
        assert await reader.data(query) == {"experiments": {"totalCount": 2}}


async def test_mutation_by_get_or_form_is_refused(sqlite_store: Store) -> None:
    """A mutation by GET, or as a form that any web page may send, changes nothing."""
    text = 'mutation { createExperiment(input: {name: "x"}) { experiment { name } } }'
    async with graphql_client(sqlite_store.uri, writable=True) as graphql:
        by_get = await graphql.http.get("/graphql", params={"query": text})
        as_form = await graphql.http.post("/graphql", data={"query": text})
        as_text = await graphql.http.post(
            "/graphql", json={"query": text}, headers={"content-type": "text/plain"}
        )
    assert (by_get.status_code, by_get.headers["allow"]) == (405, "POST")
    assert as_form.status_code == as_text.status_code == 415
    assert [experiment.name for experiment in sqlite_store.client.search_experiments()] == ["Default"]


async def test_equal_mutations_are_each_executed(sqlite_store: Store) -> None:
    """Two equal mutations at the same time are both executed."""
    text = 'mutation { startRun(input: {experimentId: "0", name: "same"}) { run { runId } } }'
    async with graphql_client(sqlite_store.uri, writable=True) as graphql:
        results = await asyncio.gather(*(graphql.data(text) for _ in range(5)))
        again = await graphql.response(text)
    assert "age" not in again.headers
    assert len({result["startRun"]["run"]["runId"] for result in results}) == 5
    assert len(sqlite_store.client.search_runs(["0"])) == 6


SEEN = """query ($run: ID!, $experiment: ID!, $name: String!) {
  experiments(view: ALL) { totalCount nodes { name lifecycleStage tags { key value } } }
  byName: experiment(name: $name) { experimentId lifecycleStage }
  byId: experiment(experimentId: $experiment) { name runs { totalCount } }
  runs(view: ALL) { totalCount nodes { name status } }
  run(runId: $run) {
    name status lifecycleStage endedAt experiment { name }
    params { key value } tags { key value } metrics { key value history { step value } } }
}"""


async def test_query_after_a_mutation_is_not_stale(store: Store) -> None:
    """After each mutation, a cached query returns the same result as a server without a cache."""
    experiment = store.client.create_experiment("before")
    run = store.client.create_run(experiment, run_name="one").info.run_id
    store.client.set_terminated(run)
    variables = {"run": run, "experiment": experiment, "name": "after"}
    of_run, of_experiment = {"runId": run}, {"experimentId": experiment}
    async with (
        graphql_client(store.uri, writable=True) as graphql,
        graphql_client(store.uri, **UNCACHED) as fresh,
    ):

        async def step(field: str, **given: object) -> None:
            before = await graphql.data(SEEN, **variables)
            await mutate(graphql, field, **given)
            after = await graphql.data(SEEN, **variables)
            assert after == await fresh.data(SEEN, **variables), field
            assert after != before, field

        if store.kind is not StoreKind.AZURE_ML:
            await step("renameExperiment", **of_experiment, name="after")
        await step("setExperimentTags", **of_experiment, tags=[{"key": "k", "value": "1"}])
        await step("deleteExperimentTags", **of_experiment, keys=["k"])
        metrics = [{"key": "m", "value": 1.5, "step": 1}]
        await step("logBatch", **of_run, metrics=metrics, params=[{"key": "p", "value": "1"}])
        await step("logBatch", **of_run, metrics=[{"key": "m", "value": 2.5, "step": 2}])
        await step("setRunTags", **of_run, tags=[{"key": "t", "value": "1"}])
        await step("updateRun", **of_run, name="two", status="RUNNING")
        await step("endRun", **of_run, status="FAILED")
        await step("deleteRun", **of_run)
        await step("restoreRun", **of_run)
        await step("startRun", **of_experiment, name="three")
        await step("deleteExperiment", **of_experiment)
        await step("restoreExperiment", **of_experiment)
        await step("createExperiment", name="another")


UNCACHED = {"cache_ended_seconds": 0, "cache_running_seconds": 0}


def test_mutations_finish_after_a_disconnect(sqlite_store: Store) -> None:
    """All mutations of a document are executed, even if the client disconnects."""
    changes = [
        f'm{number}: createExperiment(input: {{name: "{number}"}}) {{ experiment {{ name }} }}'
        for number in range(20)
    ]
    body = json.dumps({"query": f"mutation {{ {' '.join(changes)} }}"})
    expected = {"Default", *map(str, range(20))}

    def experiment_names() -> set[str]:
        return {experiment.name for experiment in sqlite_store.client.search_experiments()}

    with running_server("--tracking-uri", sqlite_store.uri, "--writable") as server:
        address = urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
            head = "POST /graphql HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            # A request that was not read completely would not be executed.
            wait_until(lambda: len(experiment_names()) > 1)
        wait_until(lambda: experiment_names() == expected)


async def test_failed_mutation_invalidates_the_cache(sqlite_store: Store) -> None:
    """A refused mutation invalidates the cache, too: the next query reads from the store."""
    async with graphql_client(sqlite_store.uri, writable=True, cache_running_seconds=600) as graphql:
        query = "{ runs { totalCount } }"
        await graphql.data(query)
        sqlite_store.client.create_run("0")
        assert await graphql.data(query) == {"runs": {"totalCount": 0}}
        await graphql.error(mutation_document("createExperiment"), input={"name": "Default"})
        assert await graphql.data(query) == {"runs": {"totalCount": 1}}


def test_workers_without_a_shared_cache_are_refused() -> None:
    """Several workers with separate caches are refused in one line; with a shared cache they may write."""
    result = run_command("serve", "--tracking-uri", "sqlite:///x.db", "--writable", "--workers", "2")
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert "cache_url" in result.stderr
    for sound in ({"cache_url": "redis://127.0.0.1"}, UNCACHED, {"workers": 1}):
        assert Settings(**({"workers": 2, "writable": True} | sound)).writable
    with pytest.raises(ValidationError):
        Settings(workers=2, writable=True)


async def test_mutations_of_a_document_are_limited(sqlite_store: Store) -> None:
    """A document with more mutations than the limit is refused before any is executed."""
    async with graphql_client(sqlite_store.uri, writable=True, max_batch=3) as graphql:
        run = sqlite_store.client.create_run("0").info.run_id
        tags = [{"key": str(number), "value": ""} for number in range(4)]
        error = await graphql.error(mutation_document("setRunTags"), input={"runId": run, "tags": tags})
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "GQL_MAX_BATCH" in error["message"]
    assert "0" not in sqlite_store.client.get_run(run).data.tags


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
async def test_concurrent_mutations_all_succeed(request: pytest.FixtureRequest, kind: str) -> None:
    """More concurrent mutations than threads and connections all succeed."""
    store: Store = request.getfixturevalue(f"{kind}_store")
    async with graphql_client(store.uri, writable=True) as graphql:

        async def log(graphql: GraphQLClient, number: int) -> None:
            run = await mutate(graphql, "startRun", experimentId="0", name=str(number))
            tags = [{"key": "mlflow.runName", "value": f"n{number}"}]
            await mutate(graphql, "setRunTags", runId=run["runId"], tags=tags)

        await asyncio.gather(*(log(graphql, number) for number in range(40)))
    names = {run.info.run_name for run in store.client.search_runs(["0"])}
    assert names == {f"n{number}" for number in range(40)}


@pytest.mark.parametrize("kind", ["sqlite", "file"])
async def test_experiment_location_must_be_below_a_root(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    """A client cannot have a folder read by creating an experiment there, unless it is below a root."""
    store: Store = request.getfixturevalue(f"{kind}_store")
    secret, free = tmp_path / "secret", tmp_path / "free"
    for folder in (secret, free):
        folder.mkdir()
    (free / "out").symlink_to(secret)
    async with graphql_client(store.uri, writable=True) as graphql:
        for location in (secret.as_uri(), str(secret), str(free)):
            code, message = await mutation_error(
                graphql, "createExperiment", name="x", artifactLocation=location
            )
            assert (code, "GQL_ARTIFACT_ROOTS" in message) == ("BAD_USER_INPUT", True)
    async with graphql_client(store.uri, writable=True, artifact_roots=str(free)) as graphql:
        for location in (secret.as_uri(), f"{free}/../secret", str(free / "out")):
            assert (await mutation_error(graphql, "createExperiment", name="x", artifactLocation=location))[
                0
            ] == ("BAD_USER_INPUT")
        for number, location in enumerate([f"{free}/mine", "s3://bucket/folder"]):
            await mutate(graphql, "createExperiment", name=f"of {number}", artifactLocation=location)
            experiment = store.client.get_experiment_by_name(f"of {number}")
            assert experiment is not None
            assert experiment.artifact_location.endswith(location)
