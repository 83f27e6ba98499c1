"""Mutations on every kind of store, with MLflow's semantics, verified with MLflow's own client."""

import math
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from schema.ports.store_kind import StoreKind
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.app.mutations import as_mapping, mutate, mutation_document, mutation_error
from tests.support.stores.store import Store

INPUT, MISSING = "BAD_USER_INPUT", "NOT_FOUND"
ABSENT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
async def graphql(store: Store) -> AsyncIterator[GraphQLClient]:
    """Give a client of a server that writes to the store."""
    async with graphql_client(store.uri, writable=True) as graphql:
        yield graphql


async def test_experiment_lifecycle(store: Store, graphql: GraphQLClient) -> None:
    """An experiment is created, tagged, deleted with its runs and restored with them."""
    tags = [{"key": "team", "value": "vision"}, {"key": "ünicode", "value": "✓"}]
    created = await mutate(graphql, "createExperiment", name="a sweep ✓", tags=tags)
    experiment_id = created["experimentId"]
    assert created["name"] == "a sweep ✓"
    assert as_mapping(created, "tags") == {"team": "vision", "ünicode": "✓"}
    assert store.client.get_experiment(experiment_id).tags == {"team": "vision", "ünicode": "✓"}

    more = [{"key": "team", "value": "audio"}, {"key": "new", "value": ""}]
    tagged = await mutate(graphql, "setExperimentTags", experimentId=experiment_id, tags=more)
    assert as_mapping(tagged, "tags") == {"team": "audio", "new": "", "ünicode": "✓"}
    untagged = await mutate(
        graphql, "deleteExperimentTags", experimentId=experiment_id, keys=["new", "ünicode"]
    )
    assert as_mapping(untagged, "tags") == {"team": "audio"}
    assert store.client.get_experiment(experiment_id).tags == {"team": "audio"}

    run = store.client.create_run(experiment_id).info.run_id
    deleted = await mutate(graphql, "deleteExperiment", experimentId=experiment_id)
    assert deleted["lifecycleStage"] == "DELETED"
    assert store.client.get_experiment(experiment_id).lifecycle_stage == "deleted"
    assert store.client.get_run(run).info.lifecycle_stage == "deleted"
    restored = await mutate(graphql, "restoreExperiment", experimentId=experiment_id)
    assert restored["lifecycleStage"] == "ACTIVE"
    assert store.client.get_run(run).info.lifecycle_stage == "active"


async def test_each_mutation_of_a_document_sees_the_ones_before(store: Store, graphql: GraphQLClient) -> None:
    """What is read back after a change has this change, though the document has read before."""
    run_id = store.client.create_run("0").info.run_id
    selection = '{ run { name metric(key: "m") { value } } }'
    rename = f'updateRun(input: {{runId: "{run_id}", name: "%s"}}) {selection}'
    log = f'logBatch(input: {{runId: "{run_id}", metrics: [{{key: "m", value: 0.5}}]}}) {selection}'
    document = f"mutation {{ a: {rename % 'a'} b: {log} c: {rename % 'c'} }}"
    runs = [payload["run"] for payload in (await graphql.data(document)).values()]
    assert runs == [
        {"name": "a", "metric": None},
        {"name": "a", "metric": {"value": 0.5}},
        {"name": "c", "metric": {"value": 0.5}},
    ]


async def test_run_lifecycle(store: Store, graphql: GraphQLClient) -> None:
    """A run is started, logged to, ended, resumed, renamed, deleted and restored."""
    parent = store.client.create_run("0").info.run_id
    started = await mutate(
        graphql,
        "startRun",
        experimentId="0",
        name="first ✓",
        tags=[{"key": "a", "value": "b"}],
        parentRunId=parent,
        startedAt="2026-01-02T03:04:05.678+01:00",
        userId="ada",
    )
    run_id = started["runId"]
    assert (started["status"], started["userId"], started["name"]) == ("RUNNING", "ada", "first ✓")
    assert started["startedAt"] == "2026-01-02T02:04:05.678Z"
    assert started["endedAt"] is None
    run = store.client.get_run(run_id)
    assert run.info.start_time == 1767319445678
    expected = {"a": "b", "mlflow.parentRunId": parent, "mlflow.runName": "first ✓", "mlflow.user": "ada"}
    assert {key: run.data.tags.get(key) for key in expected} == expected

    ended = await mutate(graphql, "endRun", runId=run_id, endedAt="2026-01-02T03:00:00Z")
    assert (ended["status"], ended["endedAt"]) == ("FINISHED", "2026-01-02T03:00:00.000Z")
    again = await mutate(graphql, "endRun", runId=run_id, status="KILLED")
    assert again["status"] == store.client.get_run(run_id).info.status == "KILLED"
    assert again["endedAt"] > ended["endedAt"]

    resumed = await mutate(graphql, "updateRun", runId=run_id, status="RUNNING", name="second")
    assert (resumed["status"], resumed["name"]) == ("RUNNING", "second")
    run = store.client.get_run(run_id)
    assert (run.info.status, run.info.run_name) == ("RUNNING", "second")
    assert run.data.tags["mlflow.runName"] == "second"

    assert (await mutate(graphql, "deleteRun", runId=run_id))["lifecycleStage"] == "DELETED"
    assert store.client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert (await mutate(graphql, "restoreRun", runId=run_id))["lifecycleStage"] == "ACTIVE"
    assert store.client.get_run(run_id).info.lifecycle_stage == "active"


async def test_run_without_input_has_defaults(store: Store, graphql: GraphQLClient) -> None:
    """A run created without input gets the name, start time and user that MLflow's client gives."""
    started = await mutate(graphql, "startRun", experimentId="0")
    by_client = store.client.create_run("0")
    assert started["name"]
    assert re.fullmatch(r"20\d\d-.*Z", started["startedAt"])
    assert started["userId"] == by_client.info.user_id
    assert as_mapping(started, "tags").keys() == by_client.data.tags.keys()


async def test_logged_values_are_stored(store: Store, graphql: GraphQLClient) -> None:
    """64-bit steps, NaN, infinities, params and tags are stored as by MLflow's client."""
    run_id = store.client.create_run("0").info.run_id
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
    logged = await mutate(graphql, "logBatch", runId=run_id, metrics=metrics, params=params, tags=tags)
    values = {metric["key"]: metric["value"] or metric["nonFinite"] for metric in logged["metrics"]}
    assert values == {
        "loss": 0.1,
        "a/b c.d-e_f:g": -1e300,
        "nan": "NAN",
        "up": "POSITIVE_INFINITY",
        "down": "NEGATIVE_INFINITY",
    }
    assert logged["name"] == "named"
    run = store.client.get_run(run_id)
    assert run.data.params == {"lr": "0.1", "empty": "", "ü": "x\ny"}
    assert run.data.tags["t"] == "2"
    assert math.isnan(run.data.metrics["nan"])
    assert run.data.metrics["up"] > 1e308
    history = store.client.get_metric_history(run_id, "loss")
    assert {(point.step, point.value, point.timestamp) for point in history} == {
        (2**62, 0.1, 1767225600001),
        (-(2**62), 0.2, 1767225600002),
    }
    (now,) = store.client.get_metric_history(run_id, "a/b c.d-e_f:g")
    assert abs(now.timestamp - run.info.start_time) < 600_000


async def test_run_tags_are_set_and_deleted(store: Store, graphql: GraphQLClient) -> None:
    """A run's tags are set, changed and deleted."""
    run_id = store.client.create_run("0", tags={"old": "1"}).info.run_id
    tags = [{"key": "old", "value": "2"}, {"key": "new", "value": "ü"}]
    assert as_mapping(await mutate(graphql, "setRunTags", runId=run_id, tags=tags), "tags")["old"] == "2"
    run = await mutate(graphql, "deleteRunTags", runId=run_id, keys=["old", "old"])
    assert "old" not in as_mapping(run, "tags")
    assert store.client.get_run(run_id).data.tags["new"] == "ü"
    assert "old" not in store.client.get_run(run_id).data.tags


async def test_large_batch_is_split(store: Store, graphql: GraphQLClient) -> None:
    """A batch of any size is logged, in calls of the size that the store allows."""
    run_id = store.client.create_run("0").info.run_id
    metrics = [{"key": f"m{number % 3}", "value": float(number), "step": number} for number in range(2500)]
    params = [{"key": f"p{number:03}", "value": str(number)} for number in range(150)]
    tags = [{"key": f"t{number:03}", "value": str(number)} for number in range(250)]
    await mutate(graphql, "logBatch", runId=run_id, metrics=metrics, params=params, tags=tags)
    run = store.client.get_run(run_id)
    assert run.data.params == {f"p{number:03}": str(number) for number in range(150)}
    assert {f"t{number:03}": str(number) for number in range(250)}.items() <= run.data.tags.items()
    steps = [
        point.step for key in ("m0", "m1", "m2") for point in store.client.get_metric_history(run_id, key)
    ]
    assert sorted(steps) == list(range(2500))


async def test_failed_batch_reports_what_was_stored(store: Store, graphql: GraphQLClient) -> None:
    """A changed param is refused in MLflow's words, before any metric; the error reports what was stored."""
    run_id = store.client.create_run("0").info.run_id
    store.client.log_param(run_id, "p120", "before")
    params = [{"key": f"p{number:03}", "value": "now"} for number in range(150)]
    metrics = [{"key": "m", "value": 1.0}]
    code, message = await mutation_error(graphql, "logBatch", runId=run_id, params=params, metrics=metrics)
    assert code == INPUT
    assert "Changing param values is not allowed" in message
    assert message.endswith("Certainly stored: 100 of 150 params, 0 of 1 metrics.")
    run = store.client.get_run(run_id)
    assert run.data.params["p120"] == "before"
    assert {f"p{number:03}" for number in range(100)} <= run.data.params.keys()
    assert run.data.metrics == {}


async def test_same_param_again_is_no_error(store: Store, graphql: GraphQLClient) -> None:
    """Logging a param again with the same value is no error."""
    run_id = store.client.create_run("0").info.run_id
    for _ in range(2):
        logged = await mutate(graphql, "logBatch", runId=run_id, params=[{"key": "p", "value": "1"}])
    assert as_mapping(logged, "params") == {"p": "1"}


async def test_experiment_name_in_use_is_refused(store: Store, graphql: GraphQLClient) -> None:
    """No experiment is created with the name of another, even of a deleted one."""
    one = store.client.create_experiment("one")
    for name in ("one", "Default"):
        code, message = await mutation_error(graphql, "createExperiment", name=name)
        assert (code, "already exists" in message, "SQL" in message) == (INPUT, True, False)
    store.client.delete_experiment(one)
    assert (await mutation_error(graphql, "createExperiment", name="one"))[0] == INPUT
    assert [experiment.name for experiment in store.client.search_experiments()] == ["Default"]


async def test_experiment_is_renamed(store: Store, graphql: GraphQLClient) -> None:
    """An active experiment is renamed to a free name or its own; Azure ML does not rename."""
    experiment_id = store.client.create_experiment("own")
    if store.kind is StoreKind.AZURE_ML:
        code, _ = await mutation_error(
            graphql, "renameExperiment", experimentId=experiment_id, name="another"
        )
        assert code == "UNSUPPORTED_BY_STORE"
        return
    for name in ("another ✓", "another ✓"):
        assert (await mutate(graphql, "renameExperiment", experimentId=experiment_id, name=name))[
            "name"
        ] == name
        assert store.client.get_experiment(experiment_id).name == name
    deleted = store.client.create_experiment("gone")
    store.client.delete_experiment(deleted)
    for name in ("Default", "gone"):
        code, message = await mutation_error(
            graphql, "renameExperiment", experimentId=experiment_id, name=name
        )
        assert (code, "already exists" in message, "SQL" in message) == (INPUT, True, False)
    code, message = await mutation_error(graphql, "renameExperiment", experimentId=deleted, name="back")
    assert (code, message) == (INPUT, "Cannot rename a non-active experiment.")
    assert (await mutation_error(graphql, "renameExperiment", experimentId="123456", name="x"))[0] == MISSING


async def test_deleted_entity_is_not_changed(store: Store, graphql: GraphQLClient) -> None:
    """Changes of a deleted run or experiment are refused with MLflow's message."""
    run_id = store.client.create_run("0").info.run_id
    store.client.delete_run(run_id)
    for field, more in (
        ("logBatch", {"metrics": [{"key": "m", "value": 1}]}),
        ("logBatch", {"params": [{"key": "p", "value": "1"}]}),
        ("setRunTags", {"tags": [{"key": "t", "value": "1"}]}),
        ("endRun", {}),
        ("updateRun", {"name": "x"}),
        ("deleteRunTags", {"keys": ["mlflow.runName"]}),
    ):
        code, message = await mutation_error(graphql, field, runId=run_id, **more)
        assert (field, code, "'active'" in message) == (field, INPUT, True)
    assert store.client.get_run(run_id).data.metrics == {}
    deleted = store.client.create_experiment("gone")
    store.client.delete_experiment(deleted)
    assert (await mutation_error(graphql, "startRun", experimentId=deleted))[0] == INPUT
    tags = [{"key": "t", "value": "1"}]
    assert (await mutation_error(graphql, "setExperimentTags", experimentId=deleted, tags=tags))[0] == INPUT


async def test_change_of_absent_entity_is_not_found(store: Store, graphql: GraphQLClient) -> None:
    """A run, experiment or tag that does not exist is NOT_FOUND, and is not created."""
    run_id = store.client.create_run("0").info.run_id
    metric, tag = {"key": "m", "value": 1}, {"key": "t", "value": "1"}
    for field, given in (
        ("logBatch", {"runId": ABSENT, "metrics": [metric]}),
        ("logBatch", {"runId": ABSENT}),
        ("setRunTags", {"runId": ABSENT, "tags": [tag]}),
        ("endRun", {"runId": ABSENT}),
        ("deleteRun", {"runId": ABSENT}),
        ("restoreRun", {"runId": ABSENT}),
        ("deleteRunTags", {"runId": run_id, "keys": ["nope"]}),
        ("startRun", {"experimentId": "123456"}),
        ("deleteExperiment", {"experimentId": "123456"}),
        ("restoreExperiment", {"experimentId": "0"}),
        ("setExperimentTags", {"experimentId": "123456", "tags": [tag]}),
        ("deleteExperimentTags", {"experimentId": "0", "keys": ["nope"]}),
    ):
        code, message = await mutation_error(graphql, field, **given)
        assert (field, code) == (field, MISSING), message


async def test_refusals_have_the_code_of_mlflow(store: Store, graphql: GraphQLClient) -> None:
    """An error of what MLflow refuses has MLflow's code, which tells the cases of BAD_USER_INPUT apart."""
    run_id = store.client.create_run("0").info.run_id
    store.client.log_param(run_id, "p", "before")
    gone = store.client.create_experiment("gone")
    store.client.delete_experiment(gone)
    invalid, absent, exists = "INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS"
    changes: list[tuple[str, dict[str, Any], set[str]]] = [
        ("createExperiment", {"name": "Default"}, {exists}),
        ("createExperiment", {"name": ""}, {invalid}),
        ("logBatch", {"runId": run_id, "params": [{"key": "p", "value": "now"}]}, {invalid}),
        ("logBatch", {"runId": run_id, "params": [{"key": "", "value": "now"}]}, {invalid}),
        ("logBatch", {"runId": ABSENT}, {absent}),
        ("deleteRunTags", {"runId": run_id, "keys": ["nope"]}, {absent}),
        ("deleteExperiment", {"experimentId": gone}, {absent}),
        ("setExperimentTags", {"experimentId": gone, "tags": []}, {invalid}),
        ("startRun", {"experimentId": gone}, {invalid, "INVALID_STATE"}),
    ]
    if store.kind is not StoreKind.AZURE_ML:
        changes.append(("renameExperiment", {"experimentId": "0", "name": "gone"}, {exists}))
        changes.append(("renameExperiment", {"experimentId": gone, "name": "x"}, {"INVALID_STATE"}))
    for field, given, codes in changes:
        error = await graphql.error(mutation_document(field), input=given)
        assert error["extensions"].get("mlflowErrorCode") in codes, (field, given, error)


EMPTY_CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("logBatch", "runId", {"metrics": [], "params": [], "tags": []}),
    ("logBatch", "runId", {}),
    ("setRunTags", "runId", {"tags": []}),
    ("deleteRunTags", "runId", {"keys": []}),
    ("setExperimentTags", "experimentId", {"tags": []}),
    ("deleteExperimentTags", "experimentId", {"keys": []}),
]
"""Mutations of no tag, param or metric: the field, the argument of the id, and the other arguments."""


async def test_empty_change_is_checked_like_any_other(store: Store, graphql: GraphQLClient) -> None:
    """A change with empty lists is refused for an absent or deleted object, and else returns the object."""
    run_id = store.client.create_run("0", tags={"kept": "1"}).info.run_id
    gone = store.client.create_experiment("gone")
    deleted_run = store.client.create_run("0").info.run_id
    store.client.delete_run(deleted_run)
    store.client.delete_experiment(gone)
    ids = {"runId": (run_id, ABSENT, deleted_run), "experimentId": ("0", "123456", gone)}
    for field, argument, lists in EMPTY_CHANGES:
        active, absent, deleted = ids[argument]
        code, message = await mutation_error(graphql, field, **{argument: absent}, **lists)
        assert (field, code, "was made" in message) == (field, MISSING, False), message
        code, message = await mutation_error(graphql, field, **{argument: deleted}, **lists)
        assert (field, code, "'active'" in message) == (field, INPUT, True), message
        assert (await mutate(graphql, field, **{argument: active}, **lists))[argument] == active
    assert store.client.get_run(run_id).data.tags["kept"] == "1"


@pytest.mark.parametrize("more", [{}, {"tags": [{"key": "mlflow.runName", "value": ""}]}])
async def test_run_without_a_name_gets_one(
    store: Store, graphql: GraphQLClient, more: dict[str, Any]
) -> None:
    """A run with an empty name or name tag gets a generated name, as by MLflow's client."""
    name = {} if more else {"name": ""}
    started = await mutate(graphql, "startRun", experimentId="0", **name, **more)
    run = store.client.get_run(started["runId"])
    assert started["name"]
    assert (run.info.run_name, run.data.tags["mlflow.runName"]) == (started["name"],) * 2


async def test_mutations_stop_at_the_first_error(store: Store, graphql: GraphQLClient) -> None:
    """The mutations of a document are executed in order, and stop at the first error."""
    response = await graphql.response(
        """mutation {
          a: createExperiment(input: {name: "a"}) { experiment { name } }
          b: createExperiment(input: {name: "a"}) { experiment { name } }
          c: createExperiment(input: {name: "c"}) { experiment { name } }
        }"""
    )
    assert response.json()["data"] is None
    (error,) = response.json()["errors"]
    assert error["path"] == ["b"]
    assert {experiment.name for experiment in store.client.search_experiments()} == {"Default", "a"}
