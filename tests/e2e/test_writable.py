"""A server that writes: only if told to, by POST, and seen by the next query whatever was kept."""

import asyncio
import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError

from gql_server.config.settings import Settings
from schema.ports.store_kind import StoreKind
from tests.support.graphql_client import GraphQLClient, graphql_client
from tests.support.mutations import change, document, refusal
from tests.support.server_process import run_command, running_server
from tests.support.stores import Store
from tests.support.waiting import wait_until

CREATE = document("createExperiment")


async def test_a_server_only_reads_unless_told_otherwise(sqlite_store: Store) -> None:
    """Without the setting the graph has no mutations at all, and `server` says that it only reads."""
    async with graphql_client(sqlite_store.uri) as ask:
        error = await ask.error(CREATE, input={"name": "x"})
        assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert "GQL_WRITABLE" in error["message"]
        without_variables = 'mutation { createExperiment(input: {name: "x"}) { experiment { name } } }'
        assert await ask.error(without_variables) == error
        assert (await ask.data("{ __schema { mutationType { name } } }"))["__schema"]["mutationType"] is None
        assert await ask.data("{ server { readOnly } }") == {"server": {"readOnly": True}}
    async with graphql_client(sqlite_store.uri, writable=True) as ask:
        assert await ask.data("{ server { readOnly } }") == {"server": {"readOnly": False}}
    assert [experiment.name for experiment in sqlite_store.client.search_experiments()] == ["Default"]


async def test_servers_that_share_a_redis_say_of_themselves(sqlite_store: Store, redis_url: str) -> None:
    """A server that reads and one that writes share what was read, and not what they say of themselves."""
    shared = {"cache_url": redis_url, "cache_timeout": 5}
    async with (
        graphql_client(sqlite_store.uri, **shared) as reading,
        graphql_client(sqlite_store.uri, writable=True, **shared) as writing,
    ):
        assert await reading.data("{ server { readOnly } }") == {"server": {"readOnly": True}}
        assert await writing.data("{ server { readOnly } }") == {"server": {"readOnly": False}}
        query = "{ experiments { totalCount } }"
        assert await reading.data(query) == {"experiments": {"totalCount": 1}}
        await change(writing, "createExperiment", name="x")
        assert await reading.data(query) == {"experiments": {"totalCount": 2}}


async def test_nothing_changes_over_get(sqlite_store: Store) -> None:
    """A mutation by GET, or as a form that any web page may send, changes nothing."""
    text = 'mutation { createExperiment(input: {name: "x"}) { experiment { name } } }'
    async with graphql_client(sqlite_store.uri, writable=True) as ask:
        by_get = await ask.http.get("/graphql", params={"query": text})
        as_form = await ask.http.post("/graphql", data={"query": text})
        as_text = await ask.http.post(
            "/graphql", json={"query": text}, headers={"content-type": "text/plain"}
        )
    assert (by_get.status_code, by_get.headers["allow"]) == (405, "POST")
    assert as_form.status_code == as_text.status_code == 415
    assert [experiment.name for experiment in sqlite_store.client.search_experiments()] == ["Default"]


async def test_the_same_mutation_is_made_each_time(sqlite_store: Store) -> None:
    """Two equal mutations at the same time are two changes: they are not one question."""
    text = 'mutation { startRun(input: {experimentId: "0", name: "same"}) { run { runId } } }'
    async with graphql_client(sqlite_store.uri, writable=True) as ask:
        answers = await asyncio.gather(*(ask.data(text) for _ in range(5)))
        again = await ask.response(text)
    assert "age" not in again.headers
    assert len({answer["startRun"]["run"]["runId"] for answer in answers}) == 5
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


async def test_the_next_query_sees_each_change(store: Store) -> None:
    """After each mutation the same query, whose answer was kept, is as from a server that keeps nothing."""
    experiment = store.client.create_experiment("before")
    run = store.client.create_run(experiment, run_name="one").info.run_id
    store.client.set_terminated(run)
    variables = {"run": run, "experiment": experiment, "name": "after"}
    of_run, of_experiment = {"runId": run}, {"experimentId": experiment}
    async with (
        graphql_client(store.uri, writable=True) as ask,
        graphql_client(store.uri, **NOTHING_KEPT) as fresh,
    ):

        async def step(field: str, **given: object) -> None:
            before = await ask.data(SEEN, **variables)
            await change(ask, field, **given)
            after = await ask.data(SEEN, **variables)
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


NOTHING_KEPT = {"cache_ended_seconds": 0, "cache_running_seconds": 0}


def test_a_client_that_leaves(sqlite_store: Store) -> None:
    """A document is carried out to its end though its client does not wait for the answer."""
    changes = [
        f'm{number}: createExperiment(input: {{name: "{number}"}}) {{ experiment {{ name }} }}'
        for number in range(20)
    ]
    body = json.dumps({"query": f"mutation {{ {' '.join(changes)} }}"})
    wanted = {"Default", *map(str, range(20))}

    def made() -> set[str]:
        return {own.name for own in sqlite_store.client.search_experiments()}

    with running_server("--tracking-uri", sqlite_store.uri, "--writable") as server:
        address = urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
            head = "POST /graphql HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            # Of a request that was never read to its end nothing would be carried out.
            wait_until(lambda: len(made()) > 1)
        wait_until(lambda: made() == wanted)


async def test_a_change_in_doubt_is_seen(sqlite_store: Store) -> None:
    """A refused change forgets what was kept as well: the next query is answered by the store."""
    async with graphql_client(sqlite_store.uri, writable=True, cache_running_seconds=600) as ask:
        query = "{ runs { totalCount } }"
        await ask.data(query)
        sqlite_store.client.create_run("0")
        assert await ask.data(query) == {"runs": {"totalCount": 0}}
        await ask.error(document("createExperiment"), input={"name": "Default"})
        assert await ask.data(query) == {"runs": {"totalCount": 1}}


def test_workers_that_would_not_see_changes() -> None:
    """Several workers with caches of their own are refused in one line; with a shared one they write."""
    result = run_command("serve", "--tracking-uri", "sqlite:///x.db", "--writable", "--workers", "2")
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert "cache_url" in result.stderr
    for sound in ({"cache_url": "redis://127.0.0.1"}, NOTHING_KEPT, {"workers": 1}):
        assert Settings(**({"workers": 2, "writable": True} | sound)).writable
    with pytest.raises(ValidationError):
        Settings(workers=2, writable=True)


async def test_bounds_of_a_document(sqlite_store: Store) -> None:
    """A document that changes more than it may is refused before the store sees any of it."""
    async with graphql_client(sqlite_store.uri, writable=True, max_batch=3) as ask:
        run = sqlite_store.client.create_run("0").info.run_id
        tags = [{"key": str(number), "value": ""} for number in range(4)]
        error = await ask.error(document("setRunTags"), input={"runId": run, "tags": tags})
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "GQL_MAX_BATCH" in error["message"]
    assert "0" not in sqlite_store.client.get_run(run).data.tags


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
async def test_many_at_once(request: pytest.FixtureRequest, kind: str) -> None:
    """More changes at once than there are threads and connections all get through."""
    store: Store = request.getfixturevalue(f"{kind}_store")
    async with graphql_client(store.uri, writable=True) as ask:

        async def log(ask: GraphQLClient, number: int) -> None:
            run = await change(ask, "startRun", experimentId="0", name=str(number))
            tags = [{"key": "mlflow.runName", "value": f"n{number}"}]
            await change(ask, "setRunTags", runId=run["runId"], tags=tags)

        await asyncio.gather(*(log(ask, number) for number in range(40)))
    names = {run.info.run_name for run in store.client.search_runs(["0"])}
    assert names == {f"n{number}" for number in range(40)}


@pytest.mark.parametrize("kind", ["sqlite", "file"])
async def test_an_experiment_opens_no_folder_of_this_machine(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    """Who may create experiments cannot have any folder read through one: only those below the roots."""
    store: Store = request.getfixturevalue(f"{kind}_store")
    secret, free = tmp_path / "secret", tmp_path / "free"
    for folder in (secret, free):
        folder.mkdir()
    (free / "out").symlink_to(secret)
    async with graphql_client(store.uri, writable=True) as ask:
        for place in (secret.as_uri(), str(secret), str(free)):
            code, said = await refusal(ask, "createExperiment", name="x", artifactLocation=place)
            assert (code, "GQL_ARTIFACT_ROOTS" in said) == ("BAD_USER_INPUT", True)
    async with graphql_client(store.uri, writable=True, artifact_roots=str(free)) as ask:
        for place in (secret.as_uri(), f"{free}/../secret", str(free / "out")):
            assert (await refusal(ask, "createExperiment", name="x", artifactLocation=place))[0] == (
                "BAD_USER_INPUT"
            )
        for number, place in enumerate([f"{free}/mine", "s3://bucket/folder"]):
            await change(ask, "createExperiment", name=f"of {number}", artifactLocation=place)
            made = store.client.get_experiment_by_name(f"of {number}")
            assert made is not None
            assert made.artifact_location.endswith(place)
