"""Orders of runs and experiments are the same in every database."""

from typing import Any

import pytest
from sqlalchemy import Engine

from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.errors import BadUserInput
from schema.ports.tracking import Order, Page, Position, Scope, Search
from tests.support.stores.sql_rows import WHOLE, by, experiment, last_metrics, params, runs

LARGEST = 1.7976931348623157e308
IDS = [letter * 32 for letter in "abcdef"]


@pytest.fixture
def experiment_id(engine: Engine) -> str:
    """Give an experiment whose runs have values of every kind, and missing values."""
    experiment_id = experiment(engine, 7)
    rows: list[dict[str, Any]] = [
        {"name": "Zoe", "start_time": 5, "end_time": 9, "user_id": "é", "status": "RUNNING"},
        {"name": "adam", "start_time": 5, "end_time": 6, "user_id": "z"},
        {"name": "Adam", "start_time": 7, "end_time": None, "user_id": "Z", "status": "FAILED"},
        {"name": "日", "start_time": None, "end_time": 3, "user_id": "😀"},
        {"name": "\N{FULLWIDTH LATIN SMALL LETTER A}", "start_time": 1, "end_time": 1, "user_id": "ﬀ"},
        {"name": "adam ", "start_time": 2, "end_time": 20, "user_id": None},
    ]
    runs(engine, experiment_id, [{"run_uuid": id_} | row for id_, row in zip(IDS, rows, strict=True)])
    values = [
        ("a", 2.5, False),
        ("b", 0.0, True),
        ("c", LARGEST, False),
        ("d", -LARGEST, False),
        ("f", -1.0, False),
    ]
    last_metrics(engine, [(letter * 32, "loss", value, nan) for letter, value, nan in values])
    texts = [("a", "10"), ("b", "9"), ("c", "B"), ("d", "b"), ("e", "")]
    params(engine, [(letter * 32, "lr", value) for letter, value in texts])
    return experiment_id


async def _letters_in_order(
    tracking: SqlTracking, experiment_id: str, *order: Order, size: int = 1000
) -> str:
    """Return the runs' letters in an order, read in pages."""
    letters, after = "", None
    while True:
        page = Page(size, after, WHOLE.columns)
        pages = await tracking.runs([(experiment_id,)], Search(order=order), page)
        letters += "".join(id_[0] for id_ in pages.rows["run_id"])
        if not pages.has_next[0]:
            return letters
        after = pages.position(pages.rows.size - 1)


_ORDERS: list[tuple[tuple[Order, ...], str]] = [
    ((), "cabfed"),
    ((by("run_id", descending=True),), "fedcba"),
    ((by("name"),), "cabfde"),
    ((by("name", descending=True),), "edfbac"),
    ((by("user_id"),), "cbaedf"),
    ((by("user_id", descending=True),), "deabcf"),
    ((by("status"), by("started_at")), "cefbda"),
    ((by("started_at"),), "efabcd"),
    ((by("started_at", descending=True),), "cabfed"),
    ((by("ended_at"),), "edbafc"),
    ((by("duration"),), "ebafcd"),
    ((by("duration", descending=True),), "fabecd"),
    ((by("experiment_id"), by("run_id", descending=True)), "fedcba"),
    ((by("loss", of="metric"),), "dfacbe"),
    ((by("loss", of="metric", descending=True),), "cafdbe"),
    ((by("lr", of="param"),), "baecdf"),
    ((by("lr", of="param", descending=True),), "abdcef"),
    ((by("LR", of="param"), by("loss", of="metric")), "dfacbe"),
    ((by("none", of="tag"), by("started_at")), "efabcd"),
]


async def test_order_is_total_for_any_page_size(tracking: SqlTracking, experiment_id: str) -> None:
    """Each order is total: numbers, then text by code point, then missing values."""
    for order, expected in _ORDERS:
        for size in (1, 2, 1000):
            assert await _letters_in_order(tracking, experiment_id, *order, size=size) == expected, order


async def test_order_is_the_same_in_many_scopes(tracking: SqlTracking, experiment_id: str) -> None:
    """In a search of several experiments, each has the order of a search of its own."""
    for order, expected in _ORDERS:
        scopes: list[Scope] = [("0",), (experiment_id,)]
        pages = await tracking.runs(scopes, Search(order=order), Page(4, None, WHOLE.columns))
        assert "".join(id_[0] for id_ in pages.rows["run_id"]) == expected[:4]
        position = pages.position(1)
        pages = await tracking.runs(scopes, Search(order=order), Page(4, position, WHOLE.columns))
        assert "".join(id_[0] for id_ in pages.rows["run_id"]) == expected[2:]


async def test_invalid_order_is_refused(tracking: SqlTracking) -> None:
    """An unknown attribute and a key that no database stores raise `BadUserInput`."""
    for order in (by("nothing"), by("a\x00", of="metric"), by("\ud800", of="tag")):
        with pytest.raises(BadUserInput):
            await tracking.runs([None], Search(order=(order,)), WHOLE)
        with pytest.raises(BadUserInput):
            await tracking.experiments(Search(order=(order,)), WHOLE)


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
    """A position with a wrong length or wrong types never reaches the database."""
    for position in _TAMPERED:
        with pytest.raises(BadUserInput):
            await tracking.runs([None], Search(), Page(1, position, WHOLE.columns))


async def test_invalid_metric_key_value_is_refused(tracking: SqlTracking) -> None:
    """The key value of a metric is a finite float, "NaN" or None; others are refused."""
    search = Search(order=(by("loss", of="metric"),))
    key_values: list[Any] = ["nan", "Infinity", 1, True, float("inf"), float("nan"), [], {}]
    for key_value in key_values:
        with pytest.raises(BadUserInput):
            await tracking.runs([None], search, Page(1, [key_value, "a"], WHOLE.columns))


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
        experiment(engine, number, name=name, creation_time=5)

    async def names(*order: Order) -> list[str]:
        pages = await tracking.experiments(Search(filter="name != 'Default'", order=order), WHOLE)
        return list(pages.rows["name"])

    assert await names(by("name")) == ["C", "a", "b"]
    assert await names(by("experiment_id", descending=True)) == ["b", "a", "C"]
    assert await names(by("created_at")) == ["C", "a", "b"]
    assert await names() == ["C", "a", "b"]
