"""Params, tags and last metrics of many runs in one call."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Engine, insert

from gql_server.stores.sql.tables import EXPERIMENT_TAGS, TAGS
from gql_server.stores.sql.tracking import SqlTracking
from tests.support.schema.port_results import rows_by_parent
from tests.support.stores.sql_rows import (
    insert_experiment,
    insert_latest_metrics,
    insert_params,
    insert_runs,
    run_rows,
)

LARGEST = 1.7976931348623157e308
_ODD = ["a", "B", "Z/9", "é", "日本", "\N{GRINNING FACE}", "a b", "a.b", "a-b", "_"]
_VALUES = [
    "",
    "x",
    'quo"te',
    "back\\slash",
    "new\nline",
    "\N{GRINNING FACE}",
    "NULL",
    "[1]",
    "é" * 3000,
    "\x07",
]


async def test_key_values_are_exact_and_sorted_by_code_point(tracking: SqlTracking, engine: Engine) -> None:
    """Keys are sorted by code point with any collation, and values are returned as they were logged."""
    a, b, c = insert_runs(engine, insert_experiment(engine, 5), run_rows(3))
    insert_params(engine, [(a, key, value) for key, value in zip(_ODD, _VALUES, strict=True)])
    insert_params(engine, [(c, "only", "one")])
    result = await tracking.params([c, b, a, c, "f" * 32], None)
    expected = sorted(zip(_ODD, _VALUES, strict=True))
    assert rows_by_parent(result, "key", "value") == [[("only", "one")], [], expected, [("only", "one")], []]


async def test_keys_are_case_sensitive(tracking: SqlTracking, engine: Engine) -> None:
    """Only the requested keys are returned, also if the database ignores their case."""
    a, b = insert_runs(engine, insert_experiment(engine, 5), run_rows(2))
    insert_params(engine, [(a, "lr", "1"), (a, "opt", "2"), (b, "LR", "3")])
    insert_latest_metrics(engine, [(a, "loss", 1.0, False), (b, "LOSS", 2.0, False)])

    async def with_keys(*keys: str) -> list[list[Any]]:
        key_set: Collection[str] = frozenset(keys)
        pairs, metrics = await tracking.params([a, b], key_set), await tracking.metrics([a, b], key_set)
        return [
            x + y for x, y in zip(rows_by_parent(pairs, "key"), rows_by_parent(metrics, "key"), strict=True)
        ]

    assert await with_keys("lr", "loss") == [["lr", "loss"], []]
    assert await with_keys("LR", "opt", "LOSS") == [["opt"], ["LR", "LOSS"]]
    assert await with_keys() == [[], []]
    assert await with_keys("a\x00", "\ud800", "lr ") == [[], []]


async def test_null_tag_is_empty_text(tracking: SqlTracking, engine: Engine) -> None:
    """A tag whose value is null has empty text, as in MLflow."""
    experiment_id = insert_experiment(engine, 5)
    (a,) = insert_runs(engine, experiment_id, run_rows(1))
    with engine.begin() as connection:
        connection.execute(insert(TAGS), [{"run_uuid": a, "key": "k", "value": None}])
        rows = [{"experiment_id": 5, "key": key, "value": value} for key, value in [("z", None), ("A", "1")]]
        connection.execute(insert(EXPERIMENT_TAGS), rows)
    assert rows_by_parent(await tracking.tags([a], None), "key", "value") == [[("k", "")]]
    result = await tracking.experiment_tags(["2147483648", "5", "0"], None)
    assert rows_by_parent(result, "key", "value") == [[], [("A", "1"), ("z", "")], []]


async def test_non_finite_values_have_names(tracking: SqlTracking, engine: Engine) -> None:
    """A NaN and both infinities are None with a name; the next smaller floats are numbers."""
    (a,) = insert_runs(engine, insert_experiment(engine, 5), run_rows(1))
    below = 1.7976931348623155e308
    values = [
        ("a", 0.0, True),
        ("b", LARGEST, False),
        ("c", -LARGEST, False),
        ("d", below, False),
        ("e", 1.0, False),
    ]
    insert_latest_metrics(engine, [(a, *value) for value in values])
    result = await tracking.metrics([a], None)
    assert rows_by_parent(result, "key", "value", "non_finite") == [
        [
            ("a", None, "NAN"),
            ("b", None, "POSITIVE_INFINITY"),
            ("c", None, "NEGATIVE_INFINITY"),
            ("d", below, None),
            ("e", 1.0, None),
        ]
    ]
    assert [type(value) for value in result.rows["value"]][3:] == [float, float]


async def test_thousand_runs_take_one_statement(
    tracking: SqlTracking, engine: Engine, statements: list[str]
) -> None:
    """The number of statements does not depend on the number of runs or keys."""
    ids = insert_runs(engine, insert_experiment(engine, 5), run_rows(1200))
    insert_params(engine, [(id_, f"p{number}", "v") for id_ in ids for number in range(2)])
    insert_latest_metrics(engine, [(id_, "m", 1.0, False) for id_ in ids])
    await tracking.ready()
    await tracking.ready()
    statements.clear()
    assert (await tracking.params(ids, None)).rows.size == 2400
    assert (await tracking.metrics(ids, None)).rows.size == 1200
    assert (await tracking.tags(ids, frozenset({"a", "b"}))).rows.size == 0
    assert len(statements) == 3
    assert not any("SELECT *" in statement for statement in statements)
