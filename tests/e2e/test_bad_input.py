"""Mistakes of clients, on every kind of store: one clear error with a code each, with nothing leaked."""

import re

import pytest

from schema.types.node import global_id
from tests.support.app.graphql_client import graphql_client
from tests.support.stores.store import Store

INPUT, VALIDATION = "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"

MISTAKES = [
    ("{ runs(first: -1) { totalCount } }", INPUT, "first must be from 0 to 1000"),
    ("{ runs(first: 1001) { totalCount } }", INPUT, "GQL_MAX_PAGE_SIZE"),
    ("{ runs(first: 99999999999) { totalCount } }", VALIDATION, "32-bit"),
    ('{ runs(first: "3") { totalCount } }', VALIDATION, "Int cannot represent"),
    ('{ runs(after: "nonsense") { nodes { name } } }', INPUT, "not a cursor"),
    ('{ runs(after: "W10=") { nodes { name } } }', INPUT, "not a cursor"),
    ('{ experiments(after: "é") { nodes { name } } }', INPUT, "not a cursor"),
    ("{ runs(orderBy: [{attribute: SHOE_SIZE}]) { totalCount } }", VALIDATION, "SHOE_SIZE"),
    ("{ runs(orderBy: [{}]) { totalCount } }", INPUT, "exactly one"),
    ('{ runs(orderBy: [{metric: "a", param: "b"}]) { totalCount } }', INPUT, "exactly one"),
    ('{ runs(filter: "metrics.loss <") { nodes { name } } }', INPUT, "filter"),
    ('{ runs(filter: "a = 1 OR b = 2") { totalCount } }', INPUT, "filter"),
    ('{ experiments(filter: "nope = 1") { nodes { name } } }', INPUT, "nope"),
    ('{ run(runId: "../../etc/passwd") { name } }', INPUT, "run id"),
    ('{ run(runId: "") { name } }', INPUT, "run id"),
    ('{ experiment(experimentId: "no id!") { name } }', INPUT, "xperiment id"),
    ("{ experiment { name } }", INPUT, "exactly one"),
    ('{ experiment(experimentId: "1", name: "a") { name } }', INPUT, "exactly one"),
    ('{ node(id: "nonsense") { id } }', INPUT, "global id"),
    ('{ nodes(ids: ["RXhwZXJpbWVudA=="]) { id } }', INPUT, "global id"),
    ('{ runs(experimentIds: ["1"], experimentNames: ["a"]) { totalCount } }', INPUT, "not both"),
    ("{ runs { nodes { shoeSize } } }", VALIDATION, "shoeSize"),
    ('{ runs { nodes { metric(key: "m") { series(sampling: NONE) { steps } } } } }', VALIDATION, "NONE"),
    ('{ runs { nodes { metric(key: "m") { series(maxPoints: 1e9) { steps } } } } }', VALIDATION, "Int"),
]


@pytest.mark.parametrize(("query", "code", "message"), MISTAKES)
async def test_mistake_is_one_error_with_a_code(
    sqlite_store: Store, query: str, code: str, message: str
) -> None:
    """A mistake is one error with the right code and a useful message, and reveals nothing internal."""
    async with graphql_client(sqlite_store.uri) as graphql:
        response = await graphql.response(query)
    errors = response.json()["errors"]
    assert [error["extensions"]["code"] for error in errors] == [code]
    assert message in errors[0]["message"]
    assert response.status_code == (400 if code == VALIDATION else 200)
    assert not re.search(r"Traceback|\.py\b|sqlalchemy|SELECT|/tmp/", response.text)


async def test_bad_filter_cursor_and_id_are_bad_input(store: Store) -> None:
    """A filter with an error, a foreign cursor and a malformed id are BAD_USER_INPUT on every store."""
    store.client.create_run("0")
    async with graphql_client(store.uri) as graphql:
        page = "runs(first: 1) { pageInfo { endCursor } }"
        cursor = (await graphql.data(f"{{ {page} }}"))["runs"]["pageInfo"]["endCursor"]
        for query in (
            '{ runs(filter: "metrics.loss <") { nodes { name } } }',
            f'{{ runs(first: 1, view: ALL, after: "{cursor}") {{ nodes {{ name }} }} }}',
            f'{{ experiments(after: "{cursor}") {{ nodes {{ name }} }} }}',
            '{ run(runId: "no id!") { name } }',
            '{ experiment(experimentId: "no id!") { name } }',
        ):
            error = await graphql.error(query)
            assert error["extensions"]["code"] == INPUT, query


async def test_absent_entity_is_null(store: Store) -> None:
    """The lookup of an entity that does not exist is null on every store, without an error."""
    missing = "f" * 32
    async with graphql_client(store.uri) as graphql:
        data = await graphql.data(
            """query ($run: ID!, $ids: [ID!]!) {
                 run(runId: $run) { name }
                 experiment(experimentId: "987654321") { name }
                 named: experiment(name: "no such name") { name }
                 nodes(ids: $ids) { id }
                 runs(experimentIds: ["987654321"]) { totalCount nodes { name } pageInfo { endCursor } }
               }""",
            run=missing,
            ids=[
                global_id("Run", missing),
                global_id("Experiment", "0"),
                global_id("Experiment", "987654321"),
            ],
        )
    assert data == {
        "run": None,
        "experiment": None,
        "named": None,
        "nodes": [None, {"id": global_id("Experiment", "0")}, None],
        "runs": {"totalCount": 0, "nodes": [], "pageInfo": {"endCursor": None}},
    }


@pytest.mark.parametrize(
    "text",
    ["run_id IN (a)", "run_id IN ('a", "status = 'FINISHED", "metrics.x = 'a'"],
)
async def test_filter_mlflow_cannot_parse_is_bad_input(store: Store, text: str) -> None:
    """A filter that MLflow's parser rejects, with any exception, is BAD_USER_INPUT on every store."""
    store.client.create_run("0")
    query = "query ($text: String) { runs(filter: $text) { totalCount nodes { name } } }"
    async with graphql_client(store.uri) as graphql:
        error = await graphql.error(query, text=text)
    assert error["extensions"]["code"] == INPUT


async def test_database_error_of_a_server_is_not_quoted(postgres_server_store: Store) -> None:
    """The error text of the database behind an MLflow server, with its SQL, is not passed on."""
    query = """mutation ($name: String!) {
        createExperiment(input: {name: $name}) { experiment { name } } }"""
    async with graphql_client(postgres_server_store.uri, writable=True) as graphql:
        # MLflow permits names that are longer than the column.
        response = await graphql.response(query, name="x" * 400)
    (error,) = response.json()["errors"]
    assert error["message"].startswith("The tracking store failed.")
    assert not re.search(r"SQL|SELECT|pymysql|psycopg|sqlalche", response.text)


async def test_experiment_name_lookup_is_exact(mysql_server_store: Store) -> None:
    """An experiment is found only by its exact name, with any collation of the database."""
    store = mysql_server_store
    experiment = store.client.create_experiment("exp a")
    run = store.client.create_run(experiment).info.run_id
    query = """query ($name: String!) {
      experiment(name: $name) { name } runs(experimentNames: [$name]) { nodes { runId } } }"""
    async with graphql_client(store.uri) as graphql:
        data = await graphql.data(query, name="exp a")
        other = await graphql.response(query, name="EXP A")
    assert data == {"experiment": {"name": "exp a"}, "runs": {"nodes": [{"runId": run}]}}
    assert run not in other.text
    assert "exp a" not in other.text
