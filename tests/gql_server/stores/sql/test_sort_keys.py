"""Orders of runs and experiments are the same in every database."""

from typing import Any

import pytest
from sqlalchemy import Engine

from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.errors import BadUserInput
from schema.ports.tracking import Order, Page, Position, Scope, Search
from tests.support.stores.sql_rows import (
    WHOLE_PAGE,
    insert_experiment,
    insert_latest_metrics,
    insert_params,
    insert_runs,
    sort_key,
)

LARGEST = 1.7976931348623157e308
IDS = [letter * 32 for letter in "abcdef"]


@pytest.fixture
def experiment_id(engine: Engine) -> str:
    """Give an experiment whose runs have values of every kind, and missing values."""
    experiment_id = insert_experiment(engine, 7)
    rows: list[dict[str, Any]] = [
        {"name": "Zoe", "start_time": 5, "end_time": 9, "user_id": "é", "status": "RUNNING"},
        {"name": "adam", "start_time": 5, "end_time": 6, "user_id": "z"},
        {"name": "Adam", "start_time": 7, "end_time": None, "user_id": "Z", "status": "FAILED"},
        {"name": "日", "start_time": None, "end_time": 3, "user_id": "😀"},
        {"name": "\N{FULLWIDTH LATIN SMALL LETTER A}", "start_time": 1, "end_time": 1, "user_id": "ﬀ"},
        {"name": "adam ", "start_time": 2, "end_time": 20, "user_id": None},
    ]
    insert_runs(engine, experiment_id, [{"run_uuid": id_} | row for id_, row in zip(IDS, rows, strict=True)])
    values = [
        ("a", 2.5, False),
        ("b", 0.0, True),
        ("c", LARGEST, False),
        ("d", -LARGEST, False),
        ("f", -1.0, False),
    ]
    insert_latest_metrics(engine, [(letter * 32, "loss", value, nan) for letter, value, nan in values])
    texts = [("a", "10"), ("b", "9"), ("c", "B"), ("d", "b"), ("e", "")]
    insert_params(engine, [(letter * 32, "lr", value) for letter, value in texts])
    return experiment_id


async def _letters_in_order(
    tracking: SqlTracking, experiment_id: str, *order: Order, size: int = 1000
) -> str:
    """Return the runs' letters in an order, read in pages."""
    letters, after = "", None
    while True:
        page = Page(size, after, WHOLE_PAGE.columns)
        pages = await tracking.runs([(experiment_id,)], Search(order=order), page)
        letters += "".join(id_[0] for id_ in pages.rows["run_id"])
        if not pages.has_next[0]:
            return letters
        after = pages.position(pages.rows.size - 1)


_ORDERS: list[tuple[tuple[Order, ...], str]] = [
    ((), "cabfed"),
    ((sort_key("run_id", descending=True),), "fedcba"),
    ((sort_key("name"),), "cabfde"),
    ((sort_key("name", descending=True),), "edfbac"),
    ((sort_key("user_id"),), "cbaedf"),
    ((sort_key("user_id", descending=True),), "deabcf"),
    ((sort_key("status"), sort_key("started_at")), "cefbda"),
    ((sort_key("started_at"),), "efabcd"),
    ((sort_key("started_at", descending=True),), "cabfed"),
    ((sort_key("ended_at"),), "edbafc"),
    ((sort_key("duration"),), "ebafcd"),
    ((sort_key("duration", descending=True),), "fabecd"),
    ((sort_key("experiment_id"), sort_key("run_id", descending=True)), "fedcba"),
    ((sort_key("loss", of="metric"),), "dfacbe"),
    ((sort_key("loss", of="metric", descending=True),), "cafdbe"),
    ((sort_key("lr", of="param"),), "baecdf"),
    ((sort_key("lr", of="param", descending=True),), "abdcef"),
    ((sort_key("LR", of="param"), sort_key("loss", of="metric")), "dfacbe"),
    ((sort_key("none", of="tag"), sort_key("started_at")), "efabcd"),
]


async def test_order_is_total_for_any_page_size(tracking: SqlTracking, experiment_id: str) -> None:
    """Each order is total: numbers, then text by code point, then missing values."""
    for order, expected in _ORDERS:
        for size in (1, 2, 1000):
            assert await _letters_in_order(tracking, experiment_id, *order, size=size) == expected, order


async def test_order_is_the_same_in_many_scopes(tracking: SqlTracking, experiment_id: str) -> None:
    """In a search of several experiments, each has the same order as in a search of it alone."""
    for order, expected in _ORDERS:
        scopes: list[Scope] = [("0",), (experiment_id,)]
        pages = await tracking.runs(scopes, Search(order=order), Page(4, None, WHOLE_PAGE.columns))
        assert "".join(id_[0] for id_ in pages.rows["run_id"]) == expected[:4]
        position = pages.position(1)
        pages = await tracking.runs(scopes, Search(order=order), Page(4, position, WHOLE_PAGE.columns))
        assert "".join(id_[0] for id_ in pages.rows["run_id"]) == expected[2:]


async def test_invalid_order_is_refused(tracking: SqlTracking) -> None:
    """An unknown attribute and a key that no database stores raise `BadUserInput`."""
    for order in (sort_key("nothing"), sort_key("a\x00", of="metric"), sort_key("\ud800", of="tag")):
        with pytest.raises(BadUserInput):
            await tracking.runs([None], Search(order=(order,)), WHOLE_PAGE)
        with pytest.raises(BadUserInput):
            await tracking.experiments(Search(order=(order,)), WHOLE_PAGE)


_TAMPERED: list[Position] = [
    [],
    [5],
    [5, None],
    [5, 5],
    ["5", "a"],
    [True, "a"],
    [5.0, "a"],
    [2**63, "a"],
    [5, "a", "b"],
    [5, "a\x00"],
    [5, "\ud800"],
    [{}, "a"],
    [[], "a"],
]


async def test_invalid_position_is_refused(tracking: SqlTracking) -> None:
    """A position with an invalid length or type is not sent to the database."""
    for position in _TAMPERED:
        with pytest.raises(BadUserInput):
            await tracking.runs([None], Search(), Page(1, position, WHOLE_PAGE.columns))


async def test_invalid_metric_key_value_is_refused(tracking: SqlTracking) -> None:
    """The key value of a metric is a finite float, "NaN" or None; others are refused."""
    search = Search(order=(sort_key("loss", of="metric"),))
    key_values: list[Any] = ["nan", "Infinity", 1, True, float("inf"), float("nan"), [], {}]
    for key_value in key_values:
        with pytest.raises(BadUserInput):
            await tracking.runs([None], search, Page(1, [key_value, "a"], WHOLE_PAGE.columns))


async def test_out_of_range_position_is_empty_or_refused(tracking: SqlTracking) -> None:
    """A number that no experiment has finds nothing, or is refused by the database."""
    for position in ([2**62, 1], [-1, 2**62], [None, -(2**63)]):
        try:
            pages = await tracking.experiments(Search(), Page(1, position, frozenset({"name"})))
        except BadUserInput:
            continue
        assert pages.rows.size <= 1


async def test_experiments_are_sorted_by_code_point(tracking: SqlTracking, engine: Engine) -> None:
    """Experiments are sorted by code point too, and by id if their keys are equal."""
    for number, name in [(3, "b"), (1, "C"), (2, "a")]:
        insert_experiment(engine, number, name=name, creation_time=5)

    async def names(*order: Order) -> list[str]:
        pages = await tracking.experiments(Search(filter="name != 'Default'", order=order), WHOLE_PAGE)
        return list(pages.rows["name"])

    assert await names(sort_key("name")) == ["C", "a", "b"]
    assert await names(sort_key("experiment_id", descending=True)) == ["b", "a", "C"]
    assert await names(sort_key("created_at")) == ["C", "a", "b"]
    assert await names() == ["C", "a", "b"]
