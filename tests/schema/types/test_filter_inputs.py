"""The conditions that `where` makes, and filters that are refused."""

from typing import Any

import pytest

from schema.ports.condition import AllOf, AnyOf, Condition, Not, Predicate
from schema.ports.errors import BadUserInput, LimitExceeded
from schema.ports.tracking import Search
from tests.support.schema.execution import execute_query
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.schema.record_strategies import experiments


async def _meant(where: str, of: str = "runs") -> Condition | None:
    store = MemoryTracking(experiments(2, 1))
    assert (await execute_query(store, f"{{ {of}(where: {where}) {{ nodes {{ id }} }} }}")).errors == []
    searched = [part for call in store.requests for part in call if isinstance(part, Search)]
    return searched[0].where


def _attribute(key: str, operator: Any, value: Any) -> Predicate:
    return Predicate("attribute", key, operator, value)


_RUNS: list[tuple[str, Condition | None]] = [
    ("null", None),
    ("{}", AllOf(())),
    ("{or: []}", AllOf((AnyOf(()),))),
    ("{and: [], or: null, not: {}}", AllOf((AllOf(()), Not(AllOf(()))))),
    ('{runId: {in: ["a", "b"], ne: "c"}}', AllOf((
        _attribute("run_id", "ne", "c"), _attribute("run_id", "in", ("a", "b"))
    ))),
    ("{status: {notIn: [RUNNING, KILLED]}}", AllOf((_attribute("status", "not_in", ("RUNNING", "KILLED")),))),
    ("{parentRunId: {isNull: true}}", AllOf((_attribute("parent_run_id", "is_null", True),))),  # noqa: FBT003
    ('{startedAt: {gte: "2026-01-01T00:00:00.5+01:00"}}', AllOf((
        _attribute("started_at", "gte", 1767222000500),
    ))),
    ("{durationSeconds: {gt: 1.5, lte: 2}}", AllOf((
        _attribute("duration_seconds", "gt", 1.5), _attribute("duration_seconds", "lte", 2.0)
    ))),
    ('{name: {like: ""}, param: [{key: "lr", gt: 0.1, lt: 1}, {key: "opt", ilike: "a%"}]}', AllOf((
        _attribute("name", "like", ""),
        Predicate("param", "lr", "gt", 0.1),
        Predicate("param", "lr", "lt", 1.0),
        Predicate("param", "opt", "ilike", "a%"),
    ))),
    ('{or: [{metric: [{key: "m", isNull: false}]}, {tag: [{key: "t", ne: "x"}], name: {eq: "n"}}]}', AllOf((
        AnyOf((
            AllOf((Predicate("metric", "m", "is_null", False),)),  # noqa: FBT003
            AllOf((_attribute("name", "eq", "n"), Predicate("tag", "t", "ne", "x"))),
        )),
    ))),
]  # fmt: skip


@pytest.mark.parametrize(("where", "meant"), _RUNS)
async def test_conditions_on_runs(where: str, meant: Condition | None) -> None:
    """Each given field and operator is one part of the condition; null is the same as omitted."""
    assert await _meant(where) == meant


async def test_conditions_on_experiments() -> None:
    """Experiments are filtered by id, name, tags and times, with and, or and not."""
    where = '{not: {name: {ilike: "a%"}}, experimentId: {in: ["1"]}, tag: [{key: "k", eq: "v"}]}'
    assert await _meant(where, "experiments") == AllOf(
        (
            Not(AllOf((_attribute("name", "ilike", "a%"),))),
            _attribute("experiment_id", "in", ("1",)),
            Predicate("tag", "k", "eq", "v"),
        )
    )


_REFUSED = [
    ('{param: [{key: "lr"}]}', BadUserInput, "The filter on param 'lr' has no operator"),
    ('{tag: [{key: "t", like: null}]}', BadUserInput, "The filter on tag 't' has no operator"),
    ('{metric: [{key: ""}]}', BadUserInput, "The filter on metric '' has no operator"),
    (f'{{name: {{like: "{"%" * 10_001}"}}}}', BadUserInput, "10,000 characters"),
    ("{not: " * 21 + "{}" + "}" * 21, LimitExceeded, "20 levels deep"),
    ("{or: [" + "{}, " * 500 + "]}", LimitExceeded, "500 conditions (GQL_MAX_CONDITIONS)"),
]


@pytest.mark.parametrize(("where", "error", "message"), _REFUSED, ids=[case[2] for case in _REFUSED])
async def test_invalid_filters_are_refused(where: str, error: type[Exception], message: str) -> None:
    """A filter without an operator and a filter that is too large are errors without a store call."""
    store = MemoryTracking(experiments(2, 1))
    result = await execute_query(store, f"{{ runs(where: {where}) {{ nodes {{ id }} }} }}")
    assert isinstance(result.errors[0].original_error, error)
    assert message in result.messages[0]
    assert not store.calls


async def test_cursor_of_another_filter_is_refused() -> None:
    """A cursor of one filter is refused with another."""
    store = MemoryTracking(experiments(1, 3))
    query = "{ runs(first: 1, after: %s, where: {name: {eq: %s}}) { pageInfo { endCursor } } }"
    data = (await execute_query(store, query % ("null", '"a"'))).data or {}
    cursor = data["runs"]["pageInfo"]["endCursor"]
    assert (await execute_query(store, query % (f'"{cursor}"', '"a"'))).errors == []
    assert "another query" in (await execute_query(store, query % (f'"{cursor}"', '"b"'))).messages[0]
