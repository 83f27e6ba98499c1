"""What the arguments of fields become when the store is asked, and which of them are refused."""

from typing import Any

import pytest
from graphql import parse, validate

from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.tracking import Order, Search
from tests.support.document_strategies import SCHEMA
from tests.support.memory_tracking import MemoryTracking
from tests.support.record_strategies import experiment, experiments, run
from tests.support.schema_execution import answer

ONE_TARGET = "Each entry of orderBy takes exactly one of attribute, metric, param and tag."


async def _searched(query: str, variables: dict[str, Any] | None = None) -> tuple[Any, ...]:
    store = MemoryTracking(experiments(2, 1))
    assert (await answer(store, query, variables)).errors == []
    return store.asked[-1]


@pytest.mark.parametrize(
    ("entry", "order"),
    [
        ("{attribute: STARTED_AT}", Order("attribute", "started_at")),
        ("{attribute: DURATION, direction: DESC}", Order("attribute", "duration", descending=True)),
        ('{metric: "val loss", direction: ASC}', Order("metric", "val loss")),
        ('{param: "lr", attribute: null}', Order("param", "lr")),
        ('{tag: "", direction: DESC}', Order("tag", "", descending=True)),
    ],
)
async def test_order_of_runs(entry: str, order: Order) -> None:
    """An entry of orderBy names one target and a direction, ascending unless said."""
    _, _, search, _ = await _searched(f"{{ runs(orderBy: [{entry}]) {{ nodes {{ id }} }} }}")
    assert search == Search(order=(order,))


@pytest.mark.parametrize(
    "entry",
    [
        "{}",
        "{direction: DESC}",
        "{attribute: null}",
        '{metric: "a", param: "a"}',
        '{attribute: NAME, tag: "a"}',
        '{attribute: NAME, metric: "a", param: "b", tag: "c"}',
    ],
)
@pytest.mark.parametrize(
    "place", ["{ runs(%s) { nodes { id } } }", "{ experiments { nodes { runs(%s) { totalCount } } } }"]
)
async def test_order_of_no_target_or_several(entry: str, place: str) -> None:
    """An entry that names no target or several is the client's error, and no runs are asked for."""
    store = MemoryTracking(experiments(2, 1))
    found = await answer(store, place % f'orderBy: [{{metric: "a"}}, {entry}]')
    assert set(found.messages) == {ONE_TARGET}
    assert all(isinstance(error.original_error, BadUserInput) for error in found.errors)
    assert store.calls["runs"] == store.calls["count_runs"] == 0


async def test_orders_keep_their_order() -> None:
    """Several entries are several keys, the first of them first."""
    query = '{ runs(orderBy: [{metric: "b"}, {metric: "a"}, {metric: "b"}]) { nodes { id } } }'
    _, _, search, _ = await _searched(query)
    assert [order.key for order in search.order] == ["b", "a", "b"]


async def test_order_of_experiments() -> None:
    """Experiments are ordered by attributes."""
    entries = "[{attribute: NAME}, {attribute: CREATED_AT, direction: DESC}]"
    _, search, _ = await _searched(f"{{ experiments(orderBy: {entries}) {{ nodes {{ id }} }} }}")
    assert search.order == (Order("attribute", "name"), Order("attribute", "created_at", descending=True))


@pytest.mark.parametrize(
    ("arguments", "search"),
    [
        ("", Search()),
        ("(filter: null, orderBy: null)", Search()),
        ('(filter: "", orderBy: [])', Search()),
        (
            "(filter: \"params.a = '1'\", view: DELETED)",
            Search(filter="params.a = '1'", view=LifecycleView.DELETED),
        ),
        ("(view: ALL)", Search(view=LifecycleView.ALL)),
    ],
)
@pytest.mark.parametrize("field", ["runs", "experiments"])
async def test_search(field: str, arguments: str, search: Search) -> None:
    """A filter goes to the store as it is, an empty one is none, and the view is ACTIVE unless said."""
    *_, asked, _ = await _searched(f"{{ {field}{arguments} {{ nodes {{ id }} }} }}")
    assert asked == search


@pytest.mark.parametrize(
    ("arguments", "scope"),
    [
        ("", None),
        ("experimentIds: null, experimentNames: null", None),
        ('experimentIds: ["1", "0", "1"]', ("1", "0")),
        ("experimentIds: []", ()),
        ('experimentNames: ["experiment 1", "no such", "experiment 1"]', ("1",)),
        ("experimentNames: []", ()),
        ('experimentNames: ["no such"]', ()),
    ],
)
async def test_scope_of_runs(arguments: str, scope: tuple[str, ...] | None) -> None:
    """Runs are of the experiments given, each taken once; by default of all active ones."""
    head = f"({arguments})" if arguments else ""
    _, scopes, *_ = await _searched(f"{{ runs{head} {{ nodes {{ id }} }} }}")
    assert scopes == [scope]


async def test_ids_or_names() -> None:
    """Ids and names together are refused."""
    store = MemoryTracking([])
    found = await answer(store, '{ runs(experimentIds: [], experimentNames: ["a"]) { totalCount } }')
    assert found.messages == ["runs takes experimentIds or experimentNames, not both."]
    assert not store.calls


@pytest.mark.parametrize("arguments", ["", "(name: null)", '(experimentId: "0", name: "a")'])
async def test_experiment_by_one_of_two(arguments: str) -> None:
    """An experiment is looked up by exactly one of its id and its name."""
    store = MemoryTracking([])
    found = await answer(store, f"{{ experiment{arguments} {{ id }} }}")
    assert found.data == {"experiment": None}
    assert found.messages == ["experiment takes exactly one of experimentId and name."]
    assert isinstance(found.errors[0].original_error, BadUserInput)
    assert not store.calls


@pytest.mark.parametrize(
    "by", ['experimentId: "0"', 'name: "experiment 0"', 'experimentId: "0", name: null', "experimentId: 0"]
)
async def test_experiment_is_found(by: str) -> None:
    """Either leads to the experiment; a null beside it is as if left out."""
    found = await answer(MemoryTracking(experiments(1, 0)), f"{{ experiment({by}) {{ name }} }}")
    assert found.data == {"experiment": {"name": "experiment 0"}}


@pytest.mark.parametrize(
    "query",
    [
        '{ experiment(name: "x") { id } }',
        '{ experiment(experimentId: "x") { id } }',
        '{ run(runId: "x") { id } }',
    ],
)
async def test_what_is_not_there(query: str) -> None:
    """Looking up what is not there is null, not an error."""
    found = await answer(MemoryTracking([]), query)
    assert found.errors == []
    assert found.data is not None
    assert list(found.data.values()) == [None]


@pytest.mark.parametrize("along", [False, True])
@pytest.mark.parametrize(
    ("keys", "expected"),
    [("", ["a", "b"]), ("(keys: null)", ["a", "b"]), ("(keys: [])", []), ('(keys: ["b", "zz", "b"])', ["b"])],
)
async def test_keys(keys: str, expected: list[str], *, along: bool) -> None:
    """`keys` picks what stands under them, whether or not the store brought all along; null picks all."""
    pairs = [{"key": key, "value": key.upper()} for key in ("a", "b")]
    store = MemoryTracking([experiment(tags=pairs, runs=[run("r", params=pairs, tags=pairs)])], along=along)
    its_pairs = f"params{keys} {{ key }} tags{keys} {{ key }}"
    query = f"{{ experiments {{ nodes {{ tags{keys} {{ key }} runs {{ nodes {{ {its_pairs} }} }} }} }} }}"
    found = await answer(store, query)
    assert found.data is not None
    (node,) = found.data["experiments"]["nodes"]
    (its,) = node["runs"]["nodes"]
    for pairs_found in (node["tags"], its["params"], its["tags"]):
        assert [pair["key"] for pair in pairs_found] == expected
    assert bool(store.calls["experiment_tags"] + store.calls["tags"] + store.calls["params"]) is not along


@pytest.mark.parametrize("along", [False, True])
async def test_key(*, along: bool) -> None:
    """One key's value is the value, empty text too, and null where there is none."""
    pairs = [{"key": "a", "value": ""}, {"key": "b", "value": "B"}]
    store = MemoryTracking([experiment(tags=pairs, runs=[run("r", params=pairs, tags=pairs)])], along=along)
    found = await answer(
        store,
        """{ runs { nodes { a: param(key: "a") b: tag(key: "b") c: param(key: "c")
        d: metric(key: "zz") { key } e: metric(key: "loss") { key }
        experiment { a: tag(key: "a") c: tag(key: "c") } } } }""",
    )
    assert found.data is not None
    assert found.data["runs"]["nodes"] == [
        {"a": "", "b": "B", "c": None, "d": None, "e": {"key": "loss"}, "experiment": {"a": "", "c": None}}
    ]


@pytest.mark.parametrize(
    "query",
    [
        "{ runs(orderBy: [{attribute: BOGUS}]) { totalCount } }",
        "{ experiments(orderBy: [{}]) { totalCount } }",
        "{ runs(first: 2147483648) { totalCount } }",
        '{ runs(first: "1") { totalCount } }',
        "{ runs(view: null) { totalCount } }",
        "{ runs(experimentIds: [null]) { totalCount } }",
        "{ run { id } }",
        "{ run(runId: null) { id } }",
        "{ runs { nodes { metrics { history(fromStep: 9223372036854775808) { step } } } } }",
        "{ runs { nodes { metrics { history(fromStep: 1.0) { step } } } } }",
        "{ runs { nodes { loss } } }",
        "{ runs { nodes } }",
    ],
)
def test_what_validation_refuses(query: str) -> None:
    """Unknown fields and orders, wrong types and missing arguments never reach a resolver."""
    assert validate(SCHEMA, parse(query))


async def test_server() -> None:
    """The server tells its versions, its store's kind and whether it only reads, without asking the store."""
    store = MemoryTracking([])
    found = await answer(store, "{ server { version mlflowVersion store readOnly } }")
    assert found.data == {
        "server": {"version": "1.2.3", "mlflowVersion": "3.4.5", "store": "OTHER", "readOnly": True}
    }
    assert not store.calls
