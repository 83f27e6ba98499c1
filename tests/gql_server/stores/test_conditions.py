"""Conditions and orders on every store, compared with an independent evaluator over plain records."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gql_server.config.settings import Settings
from gql_server.stores.factory import store_from
from schema.ports.condition import AllOf, AnyOf, Predicate
from schema.ports.tracking import Order, Page, Position, Scope, Search, Tracking
from tests.support.stores.condition_evaluator import (
    TEXTS,
    Record,
    matches,
    records,
    sorted_runs,
    write_runs,
)
from tests.support.stores.condition_strategies import conditions, orders
from tests.support.stores.store import Store

NAMES = frozenset({"run_id"})
EVERY = settings(
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(
    params=["sqlite", "postgres", "mysql", "file", "server", "mysql_server", "postgres_server", "azure"]
)
def filled(request: pytest.FixtureRequest) -> tuple[Store, list[Record]]:
    """Give each kind of store, with the records written to it."""
    store: Store = request.getfixturevalue(f"{request.param}_store")
    written = records()
    write_runs(written, store.client)
    return store, written


@pytest.fixture
async def tracking(filled: tuple[Store, list[Record]]) -> AsyncIterator[Tracking]:
    """Give the port over the store, as the server opens it."""
    port = store_from(Settings(tracking_uri=filled[0].uri))
    yield port
    await port.close()


async def walk(tracking: Tracking, scope: Scope, search: Search, size: int) -> list[str]:
    """Return the ids of all runs of a search, read in pages."""
    ids: list[str] = []
    after: Position | None = None
    while True:
        pages = await tracking.runs([scope], search, Page(size, after, NAMES))
        ids += pages.rows["run_id"]
        if not pages.has_next[0]:
            return ids
        after = pages.position(pages.rows.size - 1)


@settings(EVERY, max_examples=60)
@given(data=st.data())
async def test_condition_matches_evaluator(
    filled: tuple[Store, list[Record]], tracking: Tracking, data: st.DataObject
) -> None:
    """Each store returns and counts the runs for which the evaluator returns true."""
    written = filled[1]
    condition = data.draw(conditions(written))
    expected = {run.run_id for run in written if matches(condition, run)}
    search = Search(where=condition)
    assert set(await walk(tracking, _scope(written), search, 50)) == expected
    assert await tracking.count_runs([_scope(written)], search) == [len(expected)]


async def test_text_matches_itself_as_pattern(filled: tuple[Store, list[Record]], tracking: Tracking) -> None:
    """Any text matches itself, a part of it with %, and with _ for a character."""
    written = filled[1]
    for text in TEXTS:
        for pattern in (text, f"%{text[1:]}", f"{text[:1]}%", f"{text[:1]}_{text[2:]}", "_" * len(text)):
            for test in (
                Predicate("attribute", "name", "like", pattern),
                Predicate("tag", "opt", "like", pattern),
            ):
                expected = {run.run_id for run in written if matches(test, run)}
                assert set(await walk(tracking, _scope(written), Search(where=test), 50)) == expected, test


@settings(EVERY, max_examples=25)
@given(data=st.data())
async def test_order_is_the_same_on_every_store(
    filled: tuple[Store, list[Record]], tracking: Tracking, data: st.DataObject
) -> None:
    """Each store returns the same order, for any condition and page size."""
    written = filled[1]
    order, size = data.draw(orders()), data.draw(st.sampled_from([1, 5, 50]))
    condition = data.draw(st.none() | conditions(written))
    result = [run for run in written if condition is None or matches(condition, run)]
    search = Search(where=condition, order=order)
    walked = await walk(tracking, _scope(written), search, size)
    assert walked == [run.run_id for run in sorted_runs(order, result)]


async def test_filter_and_condition_are_combined(
    filled: tuple[Store, list[Record]], tracking: Tracking
) -> None:
    """MLflow's filter string is passed to the store unchanged, and a run must match both."""
    written = filled[1]
    condition = AnyOf((Predicate("param", "lr", "gt", 0.0), Predicate("attribute", "user_id", "eq", "You")))
    search = Search(filter="status = 'FINISHED'", where=condition)
    result = await walk(tracking, _scope(written), search, 3)
    expected = [run for run in written if run.status == "FINISHED" and matches(condition, run)]
    assert result == [run.run_id for run in sorted_runs((), expected)]
    assert expected


async def test_each_scope_has_its_own_page(filled: tuple[Store, list[Record]], tracking: Tracking) -> None:
    """Each experiment has its own page and count for a condition and an order."""
    written = filled[1]
    search = Search(where=Predicate("metric", "opt", "gte", -1e300), order=(Order("param", "lr"),))
    scopes: list[Scope] = [(written[1].experiment_id,), ("0",), (written[0].experiment_id,)]
    pages = await tracking.runs(scopes, search, Page(2, None, NAMES))
    result = [list(pages.rows["run_id"][start:stop]) for start, stop in pages.spans]
    expected = [
        sorted_runs(
            search.order,
            [
                run
                for run in written
                if (run.experiment_id,) == scope and search.where and matches(search.where, run)
            ],
        )
        for scope in scopes
    ]
    assert result == [[run.run_id for run in runs[:2]] for runs in expected]
    assert list(pages.has_next) == [len(runs) > 2 for runs in expected]
    assert list(await tracking.count_runs(scopes, search)) == [len(runs) for runs in expected]
    assert any(pages.has_next)


async def test_constant_conditions(filled: tuple[Store, list[Record]], tracking: Tracking) -> None:
    """A condition that is always false matches nothing, one that is always true everything."""
    written = filled[1]
    never = AllOf((Predicate("param", "opt", "eq", "a"), Predicate("param", "opt", "eq", "b")))
    for condition, count in ((never, 0), (AnyOf(()), 0), (AllOf(()), len(written))):
        assert await tracking.count_runs([_scope(written)], Search(where=condition)) == [count]


def _scope(written: list[Record]) -> Scope:
    return (written[0].experiment_id, written[1].experiment_id)
