"""The mutations on every kind of store: MLflow's semantics, read back with MLflow's own client."""

import asyncio
import math
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from schema.ports.store_kind import StoreKind
from tests.support.graphql_client import GraphQLClient, graphql_client
from tests.support.mutations import change, pairs, refusal
from tests.support.stores import Store

INPUT, MISSING = "BAD_USER_INPUT", "NOT_FOUND"
ABSENT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
async def ask(store: Store) -> AsyncIterator[GraphQLClient]:
    """Give a client of a server that writes to the store."""
    async with graphql_client(store.uri, writable=True) as ask:
        yield ask


async def test_an_experiments_life(store: Store, ask: GraphQLClient) -> None:
    """An experiment is created, tagged, deleted with its runs and restored with them."""
    tags = [{"key": "team", "value": "vision"}, {"key": "ünicode", "value": "✓"}]
    made = await change(ask, "createExperiment", name="a sweep ✓", tags=tags)
    own = made["experimentId"]
    assert made["name"] == "a sweep ✓"
    assert pairs(made, "tags") == {"team": "vision", "ünicode": "✓"}
    assert store.client.get_experiment(own).tags == {"team": "vision", "ünicode": "✓"}

    more = [{"key": "team", "value": "audio"}, {"key": "new", "value": ""}]
    tagged = await change(ask, "setExperimentTags", experimentId=own, tags=more)
    assert pairs(tagged, "tags") == {"team": "audio", "new": "", "ünicode": "✓"}
    untagged = await change(ask, "deleteExperimentTags", experimentId=own, keys=["new", "ünicode"])
    assert pairs(untagged, "tags") == {"team": "audio"}
    assert store.client.get_experiment(own).tags == {"team": "audio"}

    run = store.client.create_run(own).info.run_id
    deleted = await change(ask, "deleteExperiment", experimentId=own)
    assert deleted["lifecycleStage"] == "DELETED"
    assert store.client.get_experiment(own).lifecycle_stage == "deleted"
    assert store.client.get_run(run).info.lifecycle_stage == "deleted"
    restored = await change(ask, "restoreExperiment", experimentId=own)
    assert restored["lifecycleStage"] == "ACTIVE"
    assert store.client.get_run(run).info.lifecycle_stage == "active"


async def test_a_runs_life(store: Store, ask: GraphQLClient) -> None:
    """A run is started, logged to, ended, resumed, renamed, deleted and restored."""
    parent = store.client.create_run("0").info.run_id
    started = await change(
        ask,
        "startRun",
        experimentId="0",
        name="first ✓",
        tags=[{"key": "a", "value": "b"}],
        parentRunId=parent,
        startedAt="2026-01-02T03:04:05.678+01:00",
        userId="ada",
    )
    own = started["runId"]
    assert (started["status"], started["userId"], started["name"]) == ("RUNNING", "ada", "first ✓")
    assert started["startedAt"] == "2026-01-02T02:04:05.678Z"
    assert started["endedAt"] is None
    run = store.client.get_run(own)
    assert run.info.start_time == 1767319445678
    wanted = {"a": "b", "mlflow.parentRunId": parent, "mlflow.runName": "first ✓", "mlflow.user": "ada"}
    assert {key: run.data.tags.get(key) for key in wanted} == wanted

    ended = await change(ask, "endRun", runId=own, endedAt="2026-01-02T03:00:00Z")
    assert (ended["status"], ended["endedAt"]) == ("FINISHED", "2026-01-02T03:00:00.000Z")
    again = await change(ask, "endRun", runId=own, status="KILLED")
    assert again["status"] == store.client.get_run(own).info.status == "KILLED"
    assert again["endedAt"] > ended["endedAt"]

    resumed = await change(ask, "updateRun", runId=own, status="RUNNING", name="second")
    assert (resumed["status"], resumed["name"]) == ("RUNNING", "second")
    run = store.client.get_run(own)
    assert (run.info.status, run.info.run_name) == ("RUNNING", "second")
    assert run.data.tags["mlflow.runName"] == "second"

    assert (await change(ask, "deleteRun", runId=own))["lifecycleStage"] == "DELETED"
    assert store.client.get_run(own).info.lifecycle_stage == "deleted"
    assert (await change(ask, "restoreRun", runId=own))["lifecycleStage"] == "ACTIVE"
    assert store.client.get_run(own).info.lifecycle_stage == "active"


async def test_a_run_of_few_words(store: Store, ask: GraphQLClient) -> None:
    """A run that nothing is said of gets a name, a start and a user as MLflow's client gives it."""
    started = await change(ask, "startRun", experimentId="0")
    by_client = store.client.create_run("0")
    assert started["name"]
    assert re.fullmatch(r"20\d\d-.*Z", started["startedAt"])
    assert started["userId"] == by_client.info.user_id
    assert pairs(started, "tags").keys() == by_client.data.tags.keys()


async def test_what_is_logged(store: Store, ask: GraphQLClient) -> None:
    """Metrics of 64-bit steps, NaN and infinities, params and tags are stored as MLflow's client would."""
    own = store.client.create_run("0").info.run_id
    metrics: list[dict[str, Any]] = [
        {"key": "loss", "value": 0.1, "step": 2**62, "timestamp": "2026-01-01T00:00:00.001Z"},
        {"key": "loss", "value": 0.2, "step": -(2**62), "timestamp": "2026-01-01T00:00:00.002Z"},
        {"key": "a/b c.d-e_f:g", "value": -1e300},
        {"key": "nan", "nonFinite": "NAN"},
        {"key": "up", "nonFinite": "POSITIVE_INFINITY", "value": None},
        {"key": "down", "nonFinite": "NEGATIVE_INFINITY"},
    ]
    params = [{"key": "lr", "value": "0.1"}, {"key": "empty", "value": ""}, {"key": "ü", "value": "x\ny"}]
    tags = [
        {"key": "t", "value": "1"},
        {"key": "t", "value": "2"},
        {"key": "mlflow.runName", "value": "named"},
    ]
    logged = await change(ask, "logBatch", runId=own, metrics=metrics, params=params, tags=tags)
    values = {metric["key"]: metric["value"] or metric["nonFinite"] for metric in logged["metrics"]}
    assert values == {
        "loss": 0.1,
        "a/b c.d-e_f:g": -1e300,
        "nan": "NAN",
        "up": "POSITIVE_INFINITY",
        "down": "NEGATIVE_INFINITY",
    }
    assert logged["name"] == "named"
    run = store.client.get_run(own)
    assert run.data.params == {"lr": "0.1", "empty": "", "ü": "x\ny"}
    assert run.data.tags["t"] == "2"
    assert math.isnan(run.data.metrics["nan"])
    assert run.data.metrics["up"] > 1e308
    history = store.client.get_metric_history(own, "loss")
    assert {(point.step, point.value, point.timestamp) for point in history} == {
        (2**62, 0.1, 1767225600001),
        (-(2**62), 0.2, 1767225600002),
    }
    (now,) = store.client.get_metric_history(own, "a/b c.d-e_f:g")
    assert abs(now.timestamp - run.info.start_time) < 600_000


async def test_tags_of_a_run(store: Store, ask: GraphQLClient) -> None:
    """A run's tags are set, changed and deleted."""
    own = store.client.create_run("0", tags={"old": "1"}).info.run_id
    tags = [{"key": "old", "value": "2"}, {"key": "new", "value": "ü"}]
    assert pairs(await change(ask, "setRunTags", runId=own, tags=tags), "tags")["old"] == "2"
    left = await change(ask, "deleteRunTags", runId=own, keys=["old", "old"])
    assert "old" not in pairs(left, "tags")
    assert store.client.get_run(own).data.tags["new"] == "ü"
    assert "old" not in store.client.get_run(own).data.tags


async def test_more_than_a_store_takes_at_once(store: Store, ask: GraphQLClient) -> None:
    """A batch of any size is logged, in calls of the size that the store takes."""
    own = store.client.create_run("0").info.run_id
    metrics = [{"key": f"m{number % 3}", "value": float(number), "step": number} for number in range(2500)]
    params = [{"key": f"p{number:03}", "value": str(number)} for number in range(150)]
    tags = [{"key": f"t{number:03}", "value": str(number)} for number in range(250)]
    await change(ask, "logBatch", runId=own, metrics=metrics, params=params, tags=tags)
    run = store.client.get_run(own)
    assert run.data.params == {f"p{number:03}": str(number) for number in range(150)}
    assert {f"t{number:03}": str(number) for number in range(250)}.items() <= run.data.tags.items()
    steps = [point.step for key in ("m0", "m1", "m2") for point in store.client.get_metric_history(own, key)]
    assert sorted(steps) == list(range(2500))


async def test_a_batch_that_fails_says_what_is_stored(store: Store, ask: GraphQLClient) -> None:
    """A param with another value is MLflow's refusal, comes before any metric, and says what was stored."""
    own = store.client.create_run("0").info.run_id
    store.client.log_param(own, "p120", "before")
    params = [{"key": f"p{number:03}", "value": "now"} for number in range(150)]
    metrics = [{"key": "m", "value": 1.0}]
    code, said = await refusal(ask, "logBatch", runId=own, params=params, metrics=metrics)
    assert code == INPUT
    assert "Changing param values is not allowed" in said
    assert said.endswith("Certainly stored: 100 of 150 params, 0 of 1 metrics.")
    run = store.client.get_run(own)
    assert run.data.params["p120"] == "before"
    assert {f"p{number:03}" for number in range(100)} <= run.data.params.keys()
    assert run.data.metrics == {}


async def test_the_same_again(store: Store, ask: GraphQLClient) -> None:
    """A param logged again with its value is no error."""
    own = store.client.create_run("0").info.run_id
    for _ in range(2):
        logged = await change(ask, "logBatch", runId=own, params=[{"key": "p", "value": "1"}])
    assert pairs(logged, "params") == {"p": "1"}


async def test_a_name_in_use(store: Store, ask: GraphQLClient) -> None:
    """No experiment is created under a name that another has, a deleted one's included."""
    one = store.client.create_experiment("one")
    for name in ("one", "Default"):
        code, said = await refusal(ask, "createExperiment", name=name)
        assert (code, "already exists" in said, "SQL" in said) == (INPUT, True, False)
    store.client.delete_experiment(one)
    assert (await refusal(ask, "createExperiment", name="one"))[0] == INPUT
    assert [own.name for own in store.client.search_experiments()] == ["Default"]


async def test_renaming(store: Store, ask: GraphQLClient) -> None:
    """An active experiment gets another name that is free, or its own; Azure ML has no other names."""
    own = store.client.create_experiment("own")
    if store.kind is StoreKind.AZURE_ML:
        code, _ = await refusal(ask, "renameExperiment", experimentId=own, name="another")
        assert code == "UNSUPPORTED_BY_STORE"
        return
    for name in ("another ✓", "another ✓"):
        assert (await change(ask, "renameExperiment", experimentId=own, name=name))["name"] == name
        assert store.client.get_experiment(own).name == name
    gone = store.client.create_experiment("gone")
    store.client.delete_experiment(gone)
    for name in ("Default", "gone"):
        code, said = await refusal(ask, "renameExperiment", experimentId=own, name=name)
        assert (code, "already exists" in said, "SQL" in said) == (INPUT, True, False)
    code, said = await refusal(ask, "renameExperiment", experimentId=gone, name="back")
    assert (code, said) == (INPUT, "Cannot rename a non-active experiment.")
    assert (await refusal(ask, "renameExperiment", experimentId="123456", name="x"))[0] == MISSING


async def test_what_is_deleted_takes_no_changes(store: Store, ask: GraphQLClient) -> None:
    """A deleted run and a deleted experiment are not written to, and the message is MLflow's."""
    own = store.client.create_run("0").info.run_id
    store.client.delete_run(own)
    for field, more in (
        ("logBatch", {"metrics": [{"key": "m", "value": 1}]}),
        ("logBatch", {"params": [{"key": "p", "value": "1"}]}),
        ("setRunTags", {"tags": [{"key": "t", "value": "1"}]}),
        ("endRun", {}),
        ("updateRun", {"name": "x"}),
        ("deleteRunTags", {"keys": ["mlflow.runName"]}),
    ):
        code, said = await refusal(ask, field, runId=own, **more)
        assert (field, code, "'active'" in said) == (field, INPUT, True)
    assert store.client.get_run(own).data.metrics == {}
    gone = store.client.create_experiment("gone")
    store.client.delete_experiment(gone)
    assert (await refusal(ask, "startRun", experimentId=gone))[0] == INPUT
    tags = [{"key": "t", "value": "1"}]
    assert (await refusal(ask, "setExperimentTags", experimentId=gone, tags=tags))[0] == INPUT


async def test_what_is_not_there(store: Store, ask: GraphQLClient) -> None:
    """A run, an experiment or a tag that is not there is NOT_FOUND, and nothing is made of it."""
    own = store.client.create_run("0").info.run_id
    metric, tag = {"key": "m", "value": 1}, {"key": "t", "value": "1"}
    for field, given in (
        ("logBatch", {"runId": ABSENT, "metrics": [metric]}),
        ("logBatch", {"runId": ABSENT}),
        ("setRunTags", {"runId": ABSENT, "tags": [tag]}),
        ("endRun", {"runId": ABSENT}),
        ("deleteRun", {"runId": ABSENT}),
        ("restoreRun", {"runId": ABSENT}),
        ("deleteRunTags", {"runId": own, "keys": ["nope"]}),
        ("startRun", {"experimentId": "123456"}),
        ("deleteExperiment", {"experimentId": "123456"}),
        ("restoreExperiment", {"experimentId": "0"}),
        ("setExperimentTags", {"experimentId": "123456", "tags": [tag]}),
        ("deleteExperimentTags", {"experimentId": "0", "keys": ["nope"]}),
    ):
        code, said = await refusal(ask, field, **given)
        assert (field, code) == (field, MISSING), said


async def test_later_changes_of_a_document_are_not_made(store: Store, ask: GraphQLClient) -> None:
    """The changes of a document are made in order; at the first that fails they end."""
    answer = await ask.response(
        """mutation {
          a: createExperiment(input: {name: "a"}) { experiment { name } }
          b: createExperiment(input: {name: "a"}) { experiment { name } }
          c: createExperiment(input: {name: "c"}) { experiment { name } }
        }"""
    )
    assert answer.json()["data"] is None
    (error,) = answer.json()["errors"]
    assert error["path"] == ["b"]
    assert {experiment.name for experiment in store.client.search_experiments()} == {"Default", "a"}


async def test_two_writers_to_one_run(store: Store) -> None:
    """Two servers that log to one run at the same time lose nothing and fail nothing.

    A folder of files has no transactions: there one server makes its changes one after another.
    """
    own = store.client.create_run("0").info.run_id

    async def log(ask: GraphQLClient, writer: int) -> None:
        for batch in range(4):
            metrics = [
                {"key": f"m{key}", "value": writer + key / 8, "step": batch * 10 + writer} for key in range(8)
            ]
            params = [{"key": f"p{batch}", "value": "same"}, {"key": f"own{writer}{batch}", "value": "x"}]
            tags = [{"key": f"t{batch}", "value": "same"}]
            await change(ask, "logBatch", runId=own, metrics=metrics, params=params, tags=tags)

    async with (
        graphql_client(store.uri, writable=True) as one,
        graphql_client(store.uri, writable=True) as second,
    ):
        other = one if store.kind is StoreKind.FILE else second
        await asyncio.gather(log(one, 0), log(other, 1), log(one, 2), log(other, 3))
    run = store.client.get_run(own)
    assert len(run.data.params) == 4 + 4 * 4
    for key in range(8):
        steps = [point.step for point in store.client.get_metric_history(own, f"m{key}")]
        assert sorted(steps) == sorted(batch * 10 + writer for batch in range(4) for writer in range(4))
