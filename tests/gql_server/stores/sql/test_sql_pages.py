"""Pages of runs: many experiments in one call, and pagination during concurrent writes."""

from typing import Any

import pytest
from sqlalchemy import Engine, delete, text

from gql_server.stores.sql.tables import LATEST_METRICS, PARAMS, RUNS
from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.condition import Predicate
from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.tracking import Order, Page, Scope, Search
from tests.support.stores.sql_rows import (
    WHOLE_PAGE,
    insert_experiment,
    insert_latest_metrics,
    insert_params,
    insert_runs,
    run_rows,
    sort_key,
)

_INDEX = "CREATE INDEX runs_by_start ON runs (experiment_id, start_time DESC, run_uuid)"


def _filled(engine: Engine, *sizes: int) -> list[str]:
    ids = []
    for number, size in enumerate(sizes, 1):
        ids.append(insert_experiment(engine, number))
        rows = run_rows(size)
        for row in rows:
            row["run_uuid"] = f"{number:04x}{row['run_uuid'][4:]}"
        if rows:
            insert_runs(engine, ids[-1], rows)
    return ids


@pytest.mark.parametrize("indexed", [False, True])
async def test_many_experiments_take_one_statement(
    tracking: SqlTracking, engine: Engine, statements: list[str], *, indexed: bool
) -> None:
    """One statement returns the first runs of each of many experiments, with and without an index."""
    ids = _filled(engine, 5, 0, 2, 9, 4)
    if indexed:
        with engine.begin() as connection:
            connection.execute(text(_INDEX))
    try:
        scopes: list[Scope] = [(ids[3],), (ids[1],), (ids[0],), (ids[3],), (ids[4],)]
        await tracking.runs(scopes, Search(), WHOLE_PAGE)
        await tracking.ready()
        statements.clear()
        pages = await tracking.runs(scopes, Search(), Page(4, None, WHOLE_PAGE.columns))
        assert len(statements) == 1
    finally:
        if indexed:
            _drop_index(engine)
    assert pages.has_next == [True, False, True, True, False]
    result = [list(pages.rows["run_id"][start:stop]) for start, stop in pages.spans]
    assert [[id_[-1] for id_ in some] for some in result] == [
        ["8", "7", "6", "5"],
        [],
        ["4", "3", "2", "1"],
        ["8", "7", "6", "5"],
        ["3", "2", "1", "0"],
    ]
    assert pages.position(0) == [8000, result[0][0]]


def _drop_index(engine: Engine) -> None:
    on_runs = " ON runs" if engine.dialect.name == "mysql" else ""
    with engine.begin() as connection:
        if on_runs:  # MySQL uses the index for the foreign key, and does not drop it unless there is another
            connection.execute(text("CREATE INDEX runs_of_experiment ON runs (experiment_id)"))
        connection.execute(text(f"DROP INDEX runs_by_start{on_runs}"))


async def test_scopes_may_combine_experiments(tracking: SqlTracking, engine: Engine) -> None:
    """A scope may be two experiments, all active ones, or none; each scope has its own page."""
    ids = _filled(engine, 3, 2, 4)
    insert_experiment(engine, 9, lifecycle_stage="deleted")
    insert_runs(engine, "9", [{"run_uuid": "9" * 32, "start_time": 5}])
    scopes: list[Scope] = [(ids[0], ids[1]), None, ("9",), (), ("2147483648",)]
    pages = await tracking.runs(scopes, Search(), WHOLE_PAGE)
    assert [stop - start for start, stop in pages.spans] == [5, 9, 1, 0, 0]
    assert await tracking.count_runs(scopes, Search()) == [5, 9, 1, 0, 0]
    assert await tracking.count_runs([(id_,) for id_ in (*ids, "77")], Search()) == [3, 2, 4, 0]


async def test_empty_page_reports_next_page(tracking: SqlTracking, engine: Engine) -> None:
    """With `first` 0, a page has no run and reports whether any would follow."""
    ids = _filled(engine, 1, 0)
    pages = await tracking.runs([(id_,) for id_ in ids], Search(), Page(0, None, frozenset()))
    assert (pages.rows.size, pages.rows.columns, pages.has_next) == (0, {}, [True, False])


async def test_pagination_during_writes_returns_each_run_once(tracking: SqlTracking, engine: Engine) -> None:
    """While runs are created and deleted, each run that remains is returned exactly once."""
    orders: list[tuple[Order, ...]] = [
        (),
        (sort_key("name"),),
        (sort_key("ended_at", descending=True),),
        (sort_key("lr", of="param", descending=True), sort_key("loss", of="metric")),
    ]
    for number, order in enumerate(orders, 5):
        experiment_id = insert_experiment(engine, number)
        await _walk(tracking, engine, experiment_id, order)
        with engine.begin() as connection:
            for table in (PARAMS, LATEST_METRICS, RUNS):
                connection.execute(delete(table))


async def _walk(tracking: SqlTracking, engine: Engine, experiment_id: str, order: tuple[Order, ...]) -> None:
    some = [row | {"name": f"n{row['start_time'] % 7}"} for row in run_rows(40, end_time=3)]
    permanent = insert_runs(engine, experiment_id, some[::2])
    temporary = insert_runs(engine, experiment_id, some[1::2])
    texts, values = ["10", "9", "1e1", "", "b", "B"], [(1.5, False), (0.0, True), (-2.0, False)]
    insert_params(
        engine, [(run_id, "lr", texts[index % 6]) for index, run_id in enumerate(permanent) if index % 5]
    )
    insert_latest_metrics(
        engine, [(id_, "loss", *values[index % 3]) for index, id_ in enumerate(permanent) if index % 4]
    )
    seen: list[str] = []
    after, turn = None, 0
    while True:
        page = await tracking.runs(
            [(experiment_id,)], Search(order=order), Page(3, after, WHOLE_PAGE.columns)
        )
        seen += page.rows["run_id"]
        if not page.has_next[0]:
            break
        after = page.position(page.rows.size - 1)
        with engine.begin() as connection:
            connection.execute(
                delete(RUNS).where(
                    RUNS.c.run_uuid.in_([temporary.pop(), seen[-1] if seen[-1] not in permanent else ""])
                )
            )
        insert_runs(
            engine,
            experiment_id,
            [{"run_uuid": f"{turn + 1:x}".ljust(32, "f"), "start_time": turn * 900 + 1, "name": "n3"}],
        )
        turn += 1
    assert len(seen) == len(set(seen))
    assert set(permanent) <= set(seen)


async def test_views_partition_runs(tracking: SqlTracking, engine: Engine) -> None:
    """The active and the deleted runs together are all runs, and counts equal the pages."""
    experiment_id = insert_experiment(engine, 5)
    insert_runs(engine, experiment_id, run_rows(3))
    insert_runs(engine, experiment_id, [{"run_uuid": "d" * 32, "lifecycle_stage": "deleted"}])
    sizes = {}
    for view in LifecycleView:
        pages = await tracking.runs([(experiment_id,)], Search(view=view), WHOLE_PAGE)
        counts = await tracking.count_runs([(experiment_id,)], Search(view=view))
        assert counts == [pages.rows.size]
        sizes[view] = pages.rows.size
    assert sizes == {LifecycleView.ACTIVE: 3, LifecycleView.DELETED: 1, LifecycleView.ALL: 4}


async def test_lookups_keep_requested_order(tracking: SqlTracking, engine: Engine) -> None:
    """A missing id gives None, a deleted object is found, and a repeated id shares one row."""
    ids = _filled(engine, 2, 0)
    a, b = (f"0001{number:028x}" for number in range(2))
    result = await tracking.runs_by_id(
        [b, "f" * 32, a, b, a.upper()[:-1] + "F"], {"run_id", "status", "no such column"}
    )
    rows = result.rows
    assert [None if index is None else rows["run_id"][index] for index in result.index] == [
        b,
        None,
        a,
        b,
        None,
    ]
    assert rows.columns.keys() == {"run_id", "status"}
    one = await tracking.experiments_by_id([ids[1], "2147483648", ids[0], "-5"], {"name"})
    names = [None if index is None else one.rows["name"][index] for index in one.index]
    assert names == ["experiment 2", None, "experiment 1", None]
    one = await tracking.experiments_by_name(["Experiment 1", "experiment 1", "experiment 1 ", "\x00"], set())
    assert [index is None for index in one.index] == [True, False, True, True]


async def test_invalid_experiment_ids_are_refused(tracking: SqlTracking) -> None:
    """An experiment id in a database is an integer as SQL prints it."""
    for experiment_id in ("x", "1.5", "007", "", " 1", "1\n", str(2**63)):
        await _refused(tracking, experiment_id)


async def _refused(tracking: SqlTracking, experiment_id: str) -> None:
    with pytest.raises(BadUserInput):
        await tracking.experiments_by_id([experiment_id], {"name"})
    with pytest.raises(BadUserInput):
        await tracking.runs([(experiment_id,)], Search(), WHOLE_PAGE)
    with pytest.raises(BadUserInput):
        await tracking.experiment_tags([experiment_id], None)


async def test_run_name_falls_back_to_tag(tracking: SqlTracking, engine: Engine) -> None:
    """Runs of MLflow before 1.30 have their names in a tag, or none; a name in the column has precedence."""
    experiment_id = insert_experiment(engine, 5)
    names = [None, "", "own", "", None, " "]
    rows: list[dict[str, Any]] = [{"name": name} for name in names]
    ids = insert_runs(engine, experiment_id, [row | one for row, one in zip(run_rows(6), rows, strict=True)])
    with engine.begin() as connection:
        for id_ in ids[:3]:
            connection.execute(text(f"INSERT INTO tags VALUES ('mlflow.runName', 'tagged', '{id_}')"))  # noqa: S608
    result = await tracking.runs_by_id(ids, {"name"})
    shown = ["tagged", "tagged", "own", None, None, " "]
    assert [result.rows["name"][index or 0] for index in result.index] == shown
    unnamed = Search(where=Predicate("attribute", "name", "is_null", value=True))
    assert await tracking.count_runs([(experiment_id,)], unnamed) == [2]
