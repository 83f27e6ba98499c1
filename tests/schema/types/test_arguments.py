"""The requests that the arguments of fields make to the store, and arguments that are refused."""

from typing import Any

import pytest
from graphql import parse, validate

from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.store_info import StoreFeature, StoreInfo
from schema.ports.tracking import Order, Search
from tests.support.schema.document_strategies import SCHEMA
from tests.support.schema.execution import execute_query
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.schema.record_strategies import experiment, experiments, run

ONE_TARGET = "Each entry of orderBy takes exactly one of attribute, metric, param and tag."


async def _last_request(query: str, variables: dict[str, Any] | None = None) -> tuple[Any, ...]:
    store = MemoryTracking(experiments(2, 1))
    assert (await execute_query(store, query, variables)).errors == []
    return store.requests[-1]


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
    """An entry of orderBy has one target and a direction, ascending by default."""
    _, _, search, _ = await _last_request(f"{{ runs(orderBy: [{entry}]) {{ nodes {{ id }} }} }}")
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
    "template", ["{ runs(%s) { nodes { id } } }", "{ experiments { nodes { runs(%s) { totalCount } } } }"]
)
async def test_order_without_exactly_one_target_is_refused(entry: str, template: str) -> None:
    """An entry without a target or with several is BAD_USER_INPUT, and no runs are requested."""
    store = MemoryTracking(experiments(2, 1))
    result = await execute_query(store, template % f'orderBy: [{{metric: "a"}}, {entry}]')
    assert set(result.messages) == {ONE_TARGET}
    assert all(isinstance(error.original_error, BadUserInput) for error in result.errors)
    assert store.calls["runs"] == store.calls["count_runs"] == 0


async def test_sort_keys_keep_their_order_and_count_once() -> None:
    """Several entries are several sort keys, in the same order."""
    query = '{ runs(orderBy: [{metric: "b"}, {metric: "a"}, {metric: "b"}]) { nodes { id } } }'
    _, _, search, _ = await _last_request(query)
    assert [order.key for order in search.order] == ["b", "a"]


async def test_order_of_experiments() -> None:
    """Experiments are sorted by attributes."""
    entries = "[{attribute: NAME}, {attribute: CREATED_AT, direction: DESC}]"
    _, search, _ = await _last_request(f"{{ experiments(orderBy: {entries}) {{ nodes {{ id }} }} }}")
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
async def test_search_arguments(field: str, arguments: str, search: Search) -> None:
    """A filter is passed to the store unchanged, an empty filter is None, and the default view is ACTIVE."""
    *_, actual, _ = await _last_request(f"{{ {field}{arguments} {{ nodes {{ id }} }} }}")
    assert actual == search


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
    """Runs are searched in the given experiments, each once; by default in all active ones."""
    head = f"({arguments})" if arguments else ""
    _, scopes, *_ = await _last_request(f"{{ runs{head} {{ nodes {{ id }} }} }}")
    assert scopes == [scope]


async def test_experiment_ids_and_names_are_exclusive() -> None:
    """The arguments experimentIds and experimentNames are refused together."""
    store = MemoryTracking([])
    result = await execute_query(store, '{ runs(experimentIds: [], experimentNames: ["a"]) { totalCount } }')
    assert result.messages == ["runs takes experimentIds or experimentNames, not both."]
    assert not store.calls


@pytest.mark.parametrize("arguments", ["", "(name: null)", '(experimentId: "0", name: "a")'])
async def test_experiment_takes_exactly_one_of_id_and_name(arguments: str) -> None:
    """An experiment is looked up by exactly one of its id and its name."""
    store = MemoryTracking([])
    result = await execute_query(store, f"{{ experiment{arguments} {{ id }} }}")
    assert result.data == {"experiment": None}
    assert result.messages == ["experiment takes exactly one of experimentId and name."]
    assert isinstance(result.errors[0].original_error, BadUserInput)
    assert not store.calls


@pytest.mark.parametrize(
    "by", ['experimentId: "0"', 'name: "experiment 0"', 'experimentId: "0", name: null', "experimentId: 0"]
)
async def test_experiment_by_id_or_name(by: str) -> None:
    """Both arguments find the experiment; null is the same as an omitted argument."""
    result = await execute_query(MemoryTracking(experiments(1, 0)), f"{{ experiment({by}) {{ name }} }}")
    assert result.data == {"experiment": {"name": "experiment 0"}}


@pytest.mark.parametrize(
    "query",
    [
        '{ experiment(name: "x") { id } }',
        '{ experiment(experimentId: "x") { id } }',
        '{ run(runId: "x") { id } }',
    ],
)
async def test_missing_object_is_null(query: str) -> None:
    """Looking up an object that does not exist returns null without an error."""
    result = await execute_query(MemoryTracking([]), query)
    assert result.errors == []
    assert result.data is not None
    assert list(result.data.values()) == [None]


@pytest.mark.parametrize("included", [False, True])
@pytest.mark.parametrize(
    ("keys", "expected"),
    [("", ["a", "b"]), ("(keys: null)", ["a", "b"]), ("(keys: [])", []), ('(keys: ["b", "zz", "b"])', ["b"])],
)
async def test_keys_select_values(keys: str, expected: list[str], *, included: bool) -> None:
    """`keys` selects values whether or not the store returned all of them; null selects all."""
    pairs = [{"key": key, "value": key.upper()} for key in ("a", "b")]
    store = MemoryTracking(
        [experiment(tags=pairs, runs=[run("r", params=pairs, tags=pairs)])], include_related=included
    )
    run_fields = f"params{keys} {{ key }} tags{keys} {{ key }}"
    query = f"{{ experiments {{ nodes {{ tags{keys} {{ key }} runs {{ nodes {{ {run_fields} }} }} }} }} }}"
    result = await execute_query(store, query)
    assert result.data is not None
    (node,) = result.data["experiments"]["nodes"]
    (its_run,) = node["runs"]["nodes"]
    for result_pairs in (node["tags"], its_run["params"], its_run["tags"]):
        assert [pair["key"] for pair in result_pairs] == expected
    assert bool(store.calls["experiment_tags"] + store.calls["tags"] + store.calls["params"]) is not included


@pytest.mark.parametrize("included", [False, True])
async def test_value_of_one_key(*, included: bool) -> None:
    """The value of one key can be empty text; it is null if the key is missing."""
    pairs = [{"key": "a", "value": ""}, {"key": "b", "value": "B"}]
    store = MemoryTracking(
        [experiment(tags=pairs, runs=[run("r", params=pairs, tags=pairs)])], include_related=included
    )
    result = await execute_query(
        store,
        """{ runs { nodes { a: param(key: "a") b: tag(key: "b") c: param(key: "c")
        d: metric(key: "zz") { key } e: metric(key: "loss") { key }
        experiment { a: tag(key: "a") c: tag(key: "c") } } } }""",
    )
    assert result.data is not None
    assert result.data["runs"]["nodes"] == [
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
def test_invalid_documents_are_refused(query: str) -> None:
    """Unknown fields and sort keys, invalid types and missing arguments fail validation."""
    assert validate(SCHEMA, parse(query))


async def test_features_of_the_store() -> None:
    """`server` returns what the store has, in a fixed order, with one store call."""
    info = StoreInfo("abc123", {StoreFeature.REGISTRY, StoreFeature.DATASETS})
    store = MemoryTracking([], store_info=info)
    result = await execute_query(store, "{ server { databaseRevision features } }")
    assert result.data == {"server": {"databaseRevision": "abc123", "features": ["DATASETS", "REGISTRY"]}}
    assert store.calls == {"info": 1}


async def test_server_information() -> None:
    """`server` returns its versions, the kind of the store and readOnly without a store call."""
    store = MemoryTracking([])
    result = await execute_query(store, "{ server { version mlflowVersion store readOnly } }")
    assert result.data == {
        "server": {"version": "1.2.3", "mlflowVersion": "3.4.5", "store": "OTHER", "readOnly": True}
    }
    assert not store.calls
