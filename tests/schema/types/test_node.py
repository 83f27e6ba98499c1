"""Global ids identify nodes, and invalid ids are refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.ports.errors import BadUserInput
from schema.types.node import global_id, split_global_id
from tests.support.schema.execution import execute_query
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.schema.record_strategies import experiments

TYPES = ("Experiment", "Run")
WRONG = "id is not a global id of this server. Use experiment and run for MLflow's ids."


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@given(st.sampled_from(TYPES), st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_splitting_returns_type_and_local_id(type_name: str, own_id: str) -> None:
    """Splitting a global id returns its type and local id, including colons."""
    assert split_global_id(global_id(type_name, own_id), TYPES) == (type_name, own_id)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0123456789abcdef0123456789abcdef",
        "Run:1",
        "=",
        "Руна",
        "\ud800",
        global_id("Run", "1")[:-1],
        global_id("Run", "1") + "\n",
        _encoded("Run"),
        _encoded("Run:"),
        _encoded(":1"),
        _encoded("Model:1"),
        _encoded("run:1"),
        _encoded("Query:1"),
        base64.urlsafe_b64encode(b"Run:\xff").decode(),
        "A" * 1_000_001,
    ],
)
def test_invalid_id_is_refused(text: str) -> None:
    """A malformed id or an id of another type is refused; the message names the fields for MLflow's ids."""
    with pytest.raises(BadUserInput) as caught:
        split_global_id(text, TYPES)
    assert str(caught.value) == WRONG


@given(st.text() | st.binary().map(lambda content: base64.urlsafe_b64encode(content).decode()))
def test_any_text_raises_bad_user_input_only(text: str) -> None:
    """No text raises anything but BadUserInput."""
    with pytest.raises(BadUserInput):
        split_global_id(text, ())


async def test_node_returns_each_object_by_its_id() -> None:
    """`node` returns each object of a result by its id."""
    store = MemoryTracking(experiments(2, 2))
    result = await execute_query(store, "{ experiments { nodes { id name } } runs { nodes { id name } } }")
    assert result.data is not None
    nodes = result.data["experiments"]["nodes"] + result.data["runs"]["nodes"]
    assert len({node["id"] for node in nodes}) == 6
    query = (
        "query ($id: ID!) { node(id: $id) { id ... on Experiment { of: name } ... on Run { its: name } } }"
    )
    for node in nodes:
        again = await execute_query(store, query, {"id": node["id"]})
        assert again.data is not None
        assert list(again.data["node"].values()) == [node["id"], node["name"]]


async def test_nodes_are_in_the_order_of_ids() -> None:
    """`nodes` returns one entry for each id, in order, and null for an object that does not exist."""
    ids = [
        global_id("Run", "1.0"),
        global_id("Run", "zz"),
        global_id("Experiment", "0"),
        global_id("Run", "1.0"),
    ]
    store = MemoryTracking(experiments(2, 1))
    result = await execute_query(
        store, "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", {"ids": ids}
    )
    assert result.data == {
        "nodes": [
            {"__typename": "Run", "id": ids[0]},
            None,
            {"__typename": "Experiment", "id": ids[2]},
            {"__typename": "Run", "id": ids[0]},
        ]
    }
    assert store.calls == {"experiments_by_id": 1, "runs_by_id": 1}


async def test_missing_node_is_null() -> None:
    """A node that does not exist is null without an error."""
    result = await execute_query(MemoryTracking([]), f'{{ node(id: "{global_id("Run", "1")}") {{ id }} }}')
    assert (result.data, result.errors) == ({"node": None}, [])


async def test_nodes_without_ids() -> None:
    """Without ids, `nodes` returns an empty list without a store call."""
    store = MemoryTracking([])
    assert (await execute_query(store, "{ nodes(ids: []) { id } }")).data == {"nodes": []}
    assert not store.calls


@pytest.mark.parametrize("query", ['{ node(id: "0") { id } }', '{ nodes(ids: ["UnVuOjE=", "0"]) { id } }'])
async def test_invalid_id_makes_no_store_call(query: str) -> None:
    """An invalid id is BAD_USER_INPUT before any store call."""
    store = MemoryTracking(experiments(1, 1))
    result = await execute_query(store, query)
    assert result.messages == [WRONG]
    assert isinstance(result.errors[0].original_error, BadUserInput)
    assert not store.calls


async def test_too_many_ids_are_refused() -> None:
    """More ids than the page limit are refused with the limit and its setting."""
    ids = [global_id("Run", str(number)) for number in range(101)]
    result = await execute_query(
        MemoryTracking([]), "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids}
    )
    assert result.messages == ["ids may have at most 100 ids (GQL_MAX_PAGE_SIZE), not 101."]
