"""Live queries over real stores, as event streams."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import make_url

from tests.support.app.event_streams import events_of, served_client
from tests.support.stores.demo_store import Demo
from tests.support.stores.store import Store

_NEVER = 3600.0
"""An interval in seconds that no test waits for."""

RUN = 'subscription ($id: ID!) { run(runId: $id) { name status metric(key: "m") { value step } } }'
FIELDS = [
    "run(runId: $id) { name status params { key value } metrics { key value } }",
    "runs(first: 3, orderBy: [{attribute: NAME}]) { totalCount nodes { runId name } }",
    'experiment(name: $name) { name bestRun(metric: "loss") { runId } runs(first: 2) { nodes { name } } }',
    "experiments(first: 2) { nodes { name tags { key value } } pageInfo { hasNextPage } }",
    "compareRuns(runIds: [$id]) { params { key values } }",
    "runGroups(experimentNames: [$name], groupBy: [{attribute: STATUS}]) { count }",
]


@pytest.fixture
def served(store: Store) -> Iterator[httpx.Client]:
    """Yield a client of the application over a store, which is read often for subscriptions."""
    with served_client(store.uri, live_interval=0.05) as client:
        yield client


def test_run_is_followed(store: Store, served: httpx.Client) -> None:
    """Another client's changes are events: a metric, a late one that changes nothing, and the end."""
    run_id = store.client.create_run("0", run_name="a run").info.run_id
    with events_of(served, RUN, id=run_id) as events:
        run: dict[str, Any] = {"name": "a run", "status": "RUNNING", "metric": None}
        assert next(events) == {"data": {"run": run}}
        store.client.log_metric(run_id, "m", 0.5, step=2)
        run["metric"] = {"value": 0.5, "step": 2}
        assert next(events) == {"data": {"run": run}}
        # The last value is that of the largest step.
        store.client.log_metric(run_id, "m", 0.1, step=1)
        store.client.set_terminated(run_id)
        run["status"] = "FINISHED"
        assert next(events) == {"data": {"run": run}}


def test_search_is_followed(store: Store, served: httpx.Client) -> None:
    """A run that begins to match appears in the page, and one that is deleted leaves it."""
    query = 'subscription { runs(where: {name: {like: "live%"}}) { totalCount nodes { name } } }'
    with events_of(served, query) as events:
        assert next(events)["data"]["runs"] == {"totalCount": 0, "nodes": []}
        run_id = store.client.create_run("0", run_name="live one").info.run_id
        assert next(events)["data"]["runs"] == {"totalCount": 1, "nodes": [{"name": "live one"}]}
        store.client.delete_run(run_id)
        assert next(events)["data"]["runs"] == {"totalCount": 0, "nodes": []}


@pytest.mark.parametrize("field", FIELDS)
def test_first_event_is_the_answer_of_the_query(demo: Demo, field: str) -> None:
    """A query becomes live by its first word."""
    with served_client(demo.uri, live_interval=_NEVER) as client:
        runs = "{ runs(first: 1) { nodes { runId experiment { name } } } }"
        (run,) = client.post("/graphql", json={"query": runs}).json()["data"]["runs"]["nodes"]
        variables = {"id": run["runId"], "name": run["experiment"]["name"]}
        used = {"$id: ID!": "$id" in field, "$name: String!": "$name" in field}
        names = ", ".join(name for name, is_used in used.items() if is_used)
        document = f"({names}) {{ {field} }}" if names else f"{{ {field} }}"
        answer = client.post("/graphql", json={"query": f"query {document}", "variables": variables}).json()
        assert "errors" not in answer, answer
        with events_of(client, f"subscription {document}", **variables) as events:
            assert next(events) == answer


def test_mutation_of_this_server_is_sent_at_once(sqlite_store: Store) -> None:
    """The next interval is an hour away."""
    run_id = sqlite_store.client.create_run("0", run_name="before").info.run_id
    settings = {"live_interval": _NEVER, "writable": True}
    with served_client(sqlite_store.uri, **settings) as client, events_of(client, RUN, id=run_id) as events:
        assert next(events)["data"]["run"]["name"] == "before"
        mutation = 'mutation ($id: ID!) { updateRun(input: {runId: $id, name: "after"}) { run { name } } }'
        changed = client.post("/graphql", json={"query": mutation, "variables": {"id": run_id}}).json()
        assert "errors" not in changed, changed
        assert next(events)["data"]["run"]["name"] == "after"


def test_store_that_is_away_is_one_event(sqlite_store: Store) -> None:
    """The stream goes on when the store is back."""
    run_id = sqlite_store.client.create_run("0", run_name="a run").info.run_id
    path = Path(str(make_url(sqlite_store.uri).database))
    with (
        served_client(sqlite_store.uri, live_interval=0.05) as client,
        events_of(client, RUN, id=run_id) as events,
    ):
        first = next(events)
        away = path.rename(path.with_suffix(".away"))
        assert next(events)["errors"][0]["extensions"]["code"] == "STORE_UNAVAILABLE"
        away.rename(path)
        assert next(events) == first


def test_document_with_several_fields_is_refused(sqlite_store: Store) -> None:
    """As GraphQL specifies."""
    query = "subscription { runs { totalCount } experiments { totalCount } }"
    with served_client(sqlite_store.uri) as client, events_of(client, query) as events:
        assert next(events)["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
