"""Params, tags and metrics that are read together with their runs."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from gql_server.stores.sql.short_reads import SHORT
from gql_server.stores.sql.tables import TAGS
from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.columns import Columns
from schema.ports.table import Many, Table
from schema.ports.tracking import Page, Search
from tests.support.schema.port_results import rows_by_parent
from tests.support.stores.sql_rows import (
    insert_experiment,
    insert_latest_metrics,
    insert_params,
    insert_runs,
    run_rows,
)

LARGEST = 1.7976931348623157e308
_LISTS = {
    "params": ("key", "value"),
    "tags": ("key", "value"),
    "metrics": ("run_id", "key", "value", "non_finite", "step", "timestamp"),
}
_NAMES = ("run_id", *_LISTS)
_KEYS = ["é", "B", "a", "日本", "a b", 'quo"te', "\N{GRINNING FACE}"]


@pytest.fixture
def run_ids(engine: Engine) -> list[str]:
    """Insert three runs, of which the last has nothing, and return their ids."""
    ids = insert_runs(engine, insert_experiment(engine, 7), run_rows(3))
    values = ["", "x", 'quo"te', "\x07", "[1]", "\\", "\N{GRINNING FACE}"]
    rows = [(run_id, key, value) for run_id in ids[:2] for key, value in zip(_KEYS, values, strict=True)]
    insert_params(engine, rows)
    with engine.begin() as connection:
        tags = [{"run_uuid": run_id, "key": key, "value": value} for run_id, key, value in rows[3:]]
        connection.execute(insert(TAGS), tags)
    numbers = [0.1 + 0.2, 5e-324, -LARGEST, LARGEST, 0.0, 1e22, -1.0]
    metrics = [(ids[0], key, value, False) for key, value in zip(_KEYS, numbers, strict=True)]
    insert_latest_metrics(engine, [*metrics, (ids[1], "nan", 0.0, True)])
    return ids


async def _expected(tracking: SqlTracking, ids: list[str], columns: Columns) -> Mapping[str, Any]:
    """Return the lists as they are read without the runs."""
    read = {"params": tracking.params, "tags": tracking.tags, "metrics": tracking.metrics}
    return {
        name: rows_by_parent(await read[name](ids, columns.keys.get(name)), *names)
        for name, names in _LISTS.items()
    }


def _lists(table: Table, columns: Columns) -> Mapping[str, Any]:
    lists = {}
    for name, names in _LISTS.items():
        many = table.columns[name]
        assert isinstance(many, Many)
        assert many.keys == columns.keys.get(name)
        lists[name] = rows_by_parent(many, *names)
    return lists


@pytest.mark.parametrize(
    "columns",
    [
        Columns(_NAMES),
        Columns(_NAMES, {"params": frozenset({"a", "日本"}), "metrics": frozenset({"B", "nan"})}),
        Columns(_NAMES, {"params": frozenset(), "tags": frozenset({"nul\0"}), "metrics": frozenset({"b"})}),
    ],
    ids=["all keys", "some keys", "no key"],
)
@pytest.mark.parametrize("first", [2, 3, SHORT + 1])
async def test_lists_with_runs_are_those_read_apart(
    tracking: SqlTracking, run_ids: list[str], columns: Columns, first: int
) -> None:
    """A lookup and a search return the same lists as the methods for each kind."""
    found = await tracking.runs_by_id([run_ids[1], "f" * 32, run_ids[0], run_ids[2]], columns)
    ids = list(found.rows["run_id"])
    assert sorted(ids) == sorted(run_ids)
    assert _lists(found.rows, columns) == await _expected(tracking, ids, columns)
    # Twice: the second time the statement is kept.
    for _ in range(2):
        pages = await tracking.runs([("7",)], Search(), Page(first, None, columns))
        ids = list(pages.rows["run_id"])
        assert ids == run_ids[::-1][:first]
        assert _lists(pages.rows, columns) == await _expected(tracking, ids, columns)


async def test_kept_statement_takes_other_values(tracking: SqlTracking, engine: Engine) -> None:
    """The experiment, the ids and the keys are values, and not a part of a kept statement."""
    for number in (1, 2):
        (run_id,) = insert_runs(engine, insert_experiment(engine, number), [{"run_uuid": f"{number:032x}"}])
        insert_params(engine, [(run_id, "a", f"a{number}"), (run_id, "b", f"b{number}")])
    for number, key in ((1, "a"), (2, "b"), (2, "a")):
        columns = Columns(("run_id", "params"), {"params": frozenset(key)})
        pages = await tracking.runs([(str(number),)], Search(), Page(10, None, columns))
        found = await tracking.runs_by_id([f"{number:032x}"], columns)
        for table in (pages.rows, found.rows):
            assert list(table["run_id"]) == [f"{number:032x}"]
            assert list(table["params"].rows["value"]) == [f"{key}{number}"]
