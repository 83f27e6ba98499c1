"""Connections page as Relay specifies, and request only selected data from the store."""

from typing import Any

import pytest

from schema.ports.columns import Columns
from schema.ports.errors import BadUserInput
from schema.ports.tracking import Page
from tests.support.schema.execution import QueryResult, execute_query
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.schema.record_strategies import experiment, experiments, runs

PAGE = """{ edges { cursor node { runId } } nodes { runId }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount }"""


def _store(count: int = 5) -> MemoryTracking:
    return MemoryTracking(experiments(1, count))


async def _page(store: MemoryTracking, **arguments: Any) -> dict[str, Any]:
    query = f"query ($first: Int, $after: String) {{ runs(first: $first, after: $after) {PAGE} }}"
    result = await execute_query(store, query, arguments)
    assert result.errors == []
    assert result.data is not None
    page: dict[str, Any] = result.data["runs"]
    return page


def _requests(store: MemoryTracking, method: str) -> list[Any]:
    return [arguments for name, *arguments in store.requests if name == method]


def _assert_refused(result: QueryResult, message: str) -> None:
    assert result.data is None
    assert result.messages == [message]
    assert isinstance(result.errors[0].original_error, BadUserInput)


async def test_paging_returns_every_node_once() -> None:
    """Following endCursor returns every node once and in order."""
    store, ids, after = _store(5), [], None
    for size, more in ((2, True), (2, True), (1, False)):
        page = await _page(store, first=2, after=after)
        assert len(page["nodes"]) == size
        assert page["pageInfo"]["hasNextPage"] is more
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = page["pageInfo"]["endCursor"]
        ids += [node["runId"] for node in page["nodes"]]
    assert ids == ["0.0", "0.1", "0.2", "0.3", "0.4"]


async def test_edges_have_the_nodes() -> None:
    """Edges have the nodes of the page, and startCursor and endCursor are their first and last cursors."""
    page = await _page(_store(3))
    assert [edge["node"] for edge in page["edges"]] == page["nodes"]
    cursors = [edge["cursor"] for edge in page["edges"]]
    assert len(set(cursors)) == 3
    assert (page["pageInfo"]["startCursor"], page["pageInfo"]["endCursor"]) == (cursors[0], cursors[-1])


async def test_any_cursor_continues_after_its_node() -> None:
    """The cursor of any edge returns the nodes that follow it."""
    store = _store(4)
    page = await _page(store)
    for number, edge in enumerate(page["edges"]):
        following = await _page(store, after=edge["cursor"])
        assert following["nodes"] == page["nodes"][number + 1 :]


async def test_empty_page() -> None:
    """An empty page has no cursors and no next page."""
    page = await _page(_store(0))
    nothing = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert page == {"edges": [], "nodes": [], "pageInfo": nothing, "totalCount": 0}


async def test_page_after_the_last_node() -> None:
    """The page after the last node is empty and has a previous page."""
    store = _store(2)
    last = (await _page(store))["pageInfo"]["endCursor"]
    page = await _page(store, after=last)
    assert page["nodes"] == []
    assert page["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": True,
        "startCursor": None,
        "endCursor": None,
    }


async def test_first_zero_returns_counts_only() -> None:
    """`first: 0` returns no nodes, but totalCount and hasNextPage."""
    page = await _page(_store(3), first=0)
    assert page["nodes"] == page["edges"] == []
    assert page["totalCount"] == 3
    assert page["pageInfo"]["hasNextPage"] is True
    assert page["pageInfo"]["endCursor"] is None


@pytest.mark.parametrize("argument", ["", "(first: null)", "(first: 50)"])
async def test_default_first(argument: str) -> None:
    """Without first, or with null, a page has 50 nodes."""
    store = _store(60)
    result = await execute_query(store, f"{{ runs{argument} {{ nodes {{ runId }} }} }}")
    assert result.data is not None
    assert len(result.data["runs"]["nodes"]) == 50


@pytest.mark.parametrize("first", [-1, 101, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("field", ["runs", "experiments"])
async def test_first_out_of_range_is_refused(first: int, field: str) -> None:
    """A negative or large first is refused with the limit and its setting, for any selection."""
    store = _store()
    for selected in ("nodes { id }", "totalCount", "__typename"):
        result = await execute_query(store, f"{{ {field}(first: {first}) {{ {selected} }} }}")
        _assert_refused(result, f"first must be from 0 to 100 (GQL_MAX_PAGE_SIZE), not {first}.")
    assert not store.calls


@pytest.mark.parametrize("selected", ["nodes { id }", "pageInfo { endCursor }", "totalCount", "__typename"])
@pytest.mark.parametrize("field", ["runs", "experiments"])
async def test_malformed_cursor_is_refused(field: str, selected: str) -> None:
    """A malformed cursor is refused before a store call, for any selection."""
    store = _store()
    result = await execute_query(store, f'{{ {field}(after: "garbled") {{ {selected} }} }}')
    _assert_refused(result, "after is not a cursor of this server.")
    assert not store.calls


@pytest.mark.parametrize(
    "other",
    [
        'runs(filter: "metrics.loss < 1", after: $after)',
        "runs(view: ALL, after: $after)",
        "runs(orderBy: [{attribute: NAME}], after: $after)",
        'runs(experimentIds: ["0"], after: $after)',
        "experiments(after: $after)",
    ],
)
async def test_cursor_of_another_query_is_refused(other: str) -> None:
    """A cursor is valid for the same field and the same arguments only."""
    store = _store()
    cursor = (await _page(store))["pageInfo"]["endCursor"]
    result = await execute_query(
        store, f"query ($after: String) {{ {other} {{ nodes {{ id }} }} }}", {"after": cursor}
    )
    _assert_refused(
        result, "after is a cursor of another query. A cursor is valid only with the same arguments."
    )


async def test_cursor_is_valid_for_any_page_size() -> None:
    """The page size is not part of the search: a cursor is valid for pages of any size."""
    store = _store(5)
    cursor = (await _page(store, first=1))["pageInfo"]["endCursor"]
    assert len((await _page(store, first=3, after=cursor))["nodes"]) == 3


async def test_nested_cursor_is_valid_for_its_parent_only() -> None:
    """A nested page continues below its id_ parent; with other parents the cursor is refused."""
    store = MemoryTracking(experiments(2, 3))
    nested = "runs(first: 2, after: $after) { nodes { runId } pageInfo { endCursor } }"
    one = f'query ($after: String) {{ experiment(experimentId: "1") {{ {nested} }} }}'
    both = f"query ($after: String) {{ experiments {{ nodes {{ {nested} }} }} }}"
    first = await execute_query(store, one)
    assert first.data is not None
    cursor = {"after": first.data["experiment"]["runs"]["pageInfo"]["endCursor"]}
    following = await execute_query(store, one, cursor)
    assert following.data is not None
    assert following.data["experiment"]["runs"]["nodes"] == [{"runId": "1.2"}]
    refused = await execute_query(store, both, cursor)
    assert refused.data is None
    assert "after is a cursor of another query" in refused.messages[0]


async def test_cursors_of_nested_pages_differ() -> None:
    """The cursors of nested pages differ by parent."""
    store = MemoryTracking(experiments(2, 3))
    result = await execute_query(
        store, "{ experiments { nodes { runs(first: 1) { pageInfo { endCursor } } } } }"
    )
    assert result.data is not None
    cursors = [node["runs"]["pageInfo"]["endCursor"] for node in result.data["experiments"]["nodes"]]
    assert len(set(cursors)) == 2


@pytest.mark.parametrize(
    ("selected", "calls"),
    [
        ("__typename", {}),
        ("totalCount", {"count": 1}),
        ("nodes { id }", {"read": 1}),
        ("edges { cursor }", {"read": 1}),
        ("pageInfo { hasNextPage }", {"read": 1}),
        ("totalCount nodes { id } edges { node { id } } pageInfo { endCursor }", {"read": 1, "count": 1}),
        ("a: totalCount b: totalCount n: nodes { id } e: nodes { id }", {"read": 1, "count": 1}),
        ("totalCount @skip(if: true) nodes @include(if: false) { id }", {}),
        ("... @include(if: false) { totalCount } ... { nodes { id } }", {"read": 1}),
    ],
)
@pytest.mark.parametrize("field", ["runs", "experiments"])
async def test_only_selected_parts_are_requested(field: str, selected: str, calls: dict[str, int]) -> None:
    """Totals are counted only if selected, and pages read only if any part of them is."""
    store = _store()
    assert (await execute_query(store, f"{{ {field} {{ {selected} }} }}")).errors == []
    assert store.calls == {
        {"read": field, "count": f"count_{field}"}[name]: times for name, times in calls.items()
    }


async def test_only_required_columns_are_requested() -> None:
    """A page is requested with the columns that its nodes require on both paths, and no others."""
    store = _store()
    query = """{ experiments { nodes { name x: createdAt ... on Node { id } lifecycleStage @skip(if: true) }
      edges { cursor node { ...F } } } } fragment F on Experiment { tag(key: "a") updatedAt name }"""
    assert (await execute_query(store, query)).errors == []
    ((_, page),) = _requests(store, "experiments")
    names = {"name", "created_at", "experiment_id", "tags", "updated_at"}
    assert page == Page(50, None, Columns(names, {"tags": frozenset("a")}))


async def test_unknown_count_is_null() -> None:
    """A total that the store does not return is null without an error."""

    class Uncounted(MemoryTracking):
        async def count_experiments(self, *_: Any) -> None:
            return None

    result = await execute_query(Uncounted([experiment()]), "{ experiments { totalCount nodes { name } } }")
    assert result.errors == []
    assert result.data is not None
    assert result.data["experiments"]["totalCount"] is None


async def test_each_parent_has_its_page() -> None:
    """Nested pages are limited, counted and continued for each parent."""
    stored = [experiment(id_, runs=runs(id_, count)) for id_, count in (("0", 0), ("1", 2), ("2", 3))]
    page = "{ totalCount nodes { runId } pageInfo { hasNextPage endCursor } }"
    result = await execute_query(
        MemoryTracking(stored), f"{{ experiments {{ nodes {{ runs(first: 2) {page} }} }} }}"
    )
    assert result.data is not None
    pages = [node["runs"] for node in result.data["experiments"]["nodes"]]
    assert [page["totalCount"] for page in pages] == [0, 2, 3]
    assert [[run["runId"] for run in page["nodes"]] for page in pages] == [[], ["1.0", "1.1"], ["2.0", "2.1"]]
    assert [page["pageInfo"]["hasNextPage"] for page in pages] == [False, False, True]
    assert [page["pageInfo"]["endCursor"] is None for page in pages] == [True, False, False]
