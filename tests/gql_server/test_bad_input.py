"""What people get wrong, on every kind of store: one clear, coded error each, with nothing leaked."""

import re

import pytest

from schema.node import global_id
from tests.gql_server.asking import asking
from tests.stores import Store

INPUT, VALIDATION = "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"

QUESTIONS = [
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
]


@pytest.mark.parametrize(("query", "code", "said"), QUESTIONS)
async def test_each_mistake_is_one_coded_error(sqlite_store: Store, query: str, code: str, said: str) -> None:
    """A mistake is one error with the right code and what to do about it, and no trace of the inside."""
    async with asking(sqlite_store.uri) as ask:
        response = await ask.response(query)
    errors = response.json()["errors"]
    assert [error["extensions"]["code"] for error in errors] == [code]
    assert said in errors[0]["message"]
    assert response.status_code == (400 if code == VALIDATION else 200)
    assert not re.search(r"Traceback|\.py\b|sqlalchemy|SELECT|/tmp/", response.text)


async def test_mistakes_are_the_same_on_every_store(store: Store) -> None:
    """A filter with an error, a foreign cursor and an id of the wrong form are BAD_USER_INPUT everywhere."""
    store.client.create_run("0")
    async with asking(store.uri) as ask:
        page = "runs(first: 1) { pageInfo { endCursor } }"
        cursor = (await ask.data(f"{{ {page} }}"))["runs"]["pageInfo"]["endCursor"]
        for query in (
            '{ runs(filter: "metrics.loss <") { nodes { name } } }',
            f'{{ runs(first: 1, view: ALL, after: "{cursor}") {{ nodes {{ name }} }} }}',
            f'{{ experiments(after: "{cursor}") {{ nodes {{ name }} }} }}',
            '{ run(runId: "no id!") { name } }',
            '{ experiment(experimentId: "no id!") { name } }',
        ):
            error = await ask.error(query)
            assert error["extensions"]["code"] == INPUT, query


async def test_what_is_not_there_is_null(store: Store) -> None:
    """Looking up one thing that is not there is null on every store, and no error."""
    missing = "f" * 32
    async with asking(store.uri) as ask:
        data = await ask.data(
            """query ($run: ID!, $ids: [ID!]!) {
                 run(runId: $run) { name }
                 experiment(experimentId: "987654321") { name }
                 named: experiment(name: "nobody called anything this") { name }
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
