"""Streams of points over real stores, as event streams."""

from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from mlflow.entities import Metric
from sqlalchemy.engine import make_url

from tests.support.app.event_streams import events_of, served_client
from tests.support.stores.store import Store

_NEVER: Final = 3600.0
"""An interval in seconds that no test waits for."""

POINTS: Final = """
    subscription ($ids: [ID!]!, $keys: [String!], $after: String, $max: Int) {
      metricPoints(runIds: $ids, keys: $keys, after: $after, maxPoints: $max) {
        cursor complete series { runId key points { step value nonFinite timestamp } }
      }
    }
"""


def _steps(event: Any) -> dict[str, list[int]]:
    """Return the steps of each key."""
    batch = event["data"]["metricPoints"]
    return {series["key"]: [int(point["step"]) for point in series["points"]] for series in batch["series"]}


def _code(event: Any) -> str:
    code: str = event["errors"][0]["extensions"]["code"]
    return code


def test_run_is_followed_to_its_end(store: Store) -> None:
    """Each point is in one event, that which arrives late included, and the last event is complete."""
    client = store.client
    run_id = client.create_run("0").info.run_id
    client.log_batch(run_id, [Metric("loss", 1.0, 1_000, 0), Metric("loss", float("nan"), 2_000, 1)])
    with (
        served_client(store.uri, live_interval=0.05) as http,
        events_of(http, POINTS, ids=[run_id]) as events,
    ):
        first = next(events)
        (series,) = first["data"]["metricPoints"]["series"]
        assert (series["runId"], series["key"]) == (run_id, "loss")
        assert [(point["value"], point["nonFinite"]) for point in series["points"]] == [
            (1.0, None),
            (None, "NAN"),
        ]
        client.log_metric(run_id, "loss", 0.5, timestamp=3_000, step=2)
        assert _steps(next(events)) == {"loss": [2]}
        client.log_metric(run_id, "loss", 0.7, timestamp=500, step=-1)
        client.log_metric(run_id, "accuracy", 0.9, timestamp=500, step=2)
        client.set_terminated(run_id)
        rest: dict[str, list[int]] = {}
        while True:
            event = next(events)
            for key, steps in _steps(event).items():
                rest.setdefault(key, []).extend(steps)
            if event["data"]["metricPoints"]["complete"]:
                break
        assert rest == {"loss": [-1], "accuracy": [2]}
        assert next(events, None) is None
        cursor = first["data"]["metricPoints"]["cursor"]
        # Another server has read nothing before.
        with (
            served_client(store.uri) as other,
            events_of(other, POINTS, ids=[run_id], after=cursor) as resumed,
        ):
            assert _steps(next(resumed)) == {"loss": [-1, 2], "accuracy": [2]}


def test_sample_comes_first(sqlite_store: Store) -> None:
    """`maxPoints` reduces what is there, and nothing of what follows."""
    client = sqlite_store.client
    run_id = client.create_run("0").info.run_id
    client.log_batch(run_id, [Metric("loss", float(step % 9), step, step) for step in range(500)])
    with (
        served_client(sqlite_store.uri, live_interval=0.05) as http,
        events_of(http, POINTS, ids=[run_id], keys=["loss"], max=5) as events,
    ):
        assert len(_steps(next(events))["loss"]) == 5
        client.log_batch(run_id, [Metric("loss", 0.0, step, step) for step in range(500, 520)])
        assert _steps(next(events)) == {"loss": list(range(500, 520))}


def test_mutation_of_this_server_is_sent_at_once(sqlite_store: Store) -> None:
    """The next interval is an hour away."""
    run_id = sqlite_store.client.create_run("0").info.run_id
    settings = {"live_interval": _NEVER, "writable": True}
    with (
        served_client(sqlite_store.uri, **settings) as client,
        events_of(client, POINTS, ids=[run_id]) as events,
    ):
        assert _steps(next(events)) == {}
        mutation = """
            mutation ($id: ID!) {
              logBatch(input: {runId: $id, metrics: [{key: "m", value: 1.0, step: 4}]}) { run { runId } }
            }
        """
        changed = client.post("/graphql", json={"query": mutation, "variables": {"id": run_id}}).json()
        assert "errors" not in changed, changed
        assert _steps(next(events)) == {"m": [4]}


def test_store_that_is_away_is_one_event(sqlite_store: Store) -> None:
    """The stream goes on where it was when the store is back."""
    run_id = sqlite_store.client.create_run("0").info.run_id
    path = Path(str(make_url(sqlite_store.uri).database))
    with (
        served_client(sqlite_store.uri, live_interval=0.05) as client,
        events_of(client, POINTS, ids=[run_id]) as events,
    ):
        assert _steps(next(events)) == {}
        away = path.rename(path.with_suffix(".away"))
        assert _code(next(events)) == "STORE_UNAVAILABLE"
        away.rename(path)
        sqlite_store.client.log_metric(run_id, "m", 1.0)
        assert _steps(next(events)) == {"m": [0]}


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"ids": ["0" * 32]}, "NOT_FOUND"),
        ({"ids": []}, "BAD_USER_INPUT"),
        ({"ids": ["a"], "max": 1}, "BAD_USER_INPUT"),
        ({"ids": None}, "BAD_USER_INPUT"),
    ],
)
def test_stream_that_cannot_begin_is_an_error(
    sqlite_store: Store, variables: dict[str, Any], code: str
) -> None:
    """The error has its code, and nothing follows it."""
    body = {"query": POINTS, "variables": variables}
    with served_client(sqlite_store.uri) as client:
        response = client.post("/graphql", json=body, headers={"accept": "text/event-stream"})
    results = [
        line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith(("data: ", "{"))
    ]
    assert [_code(orjson.loads(result)) for result in results if result != "data:"] == [code]
