"""A request reads one workspace of a store with workspaces."""

from contextvars import ContextVar

from sqlalchemy import Engine

from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.tracking import Search
from tests.support.limits import LIMITS
from tests.support.stores.sql_rows import (
    ANY_STAGE,
    WHOLE_PAGE,
    insert_experiment,
    insert_latest_metrics,
    insert_params,
    insert_points,
    insert_runs,
)

_WORKSPACE: ContextVar[str | None] = ContextVar("workspace", default=None)


async def test_reads_are_limited_to_workspace(engine: Engine) -> None:
    """Searches and lookups of all kinds read the workspace of the caller's context only."""
    for number, workspace in ((5, "ours"), (6, "theirs")):
        insert_experiment(engine, number, name="same", workspace=workspace)
        (id_,) = insert_runs(engine, str(number), [{"run_uuid": str(number) * 32}])
        insert_params(engine, [(id_, "p", "v")])
        insert_latest_metrics(engine, [(id_, "m", 1.0, False)])
        insert_points(engine, id_, "m", [(0, 0, 1.0)])
    a, b = "5" * 32, "6" * 32
    tracking = SqlTracking(engine, LIMITS.store, workspace=_WORKSPACE.get)
    _WORKSPACE.set("ours")
    assert list((await tracking.experiments(ANY_STAGE, WHOLE_PAGE)).rows["experiment_id"]) == ["5"]
    assert await tracking.count_experiments(ANY_STAGE) == 1
    assert (await tracking.experiments_by_id(["6", "5"], {"name"})).index == [None, 0]
    assert (await tracking.experiments_by_name(["same"], {"experiment_id"})).rows["experiment_id"] == ["5"]
    pages = await tracking.runs([None, ("5",), ("6",), ("5", "6")], Search(), WHOLE_PAGE)
    assert list(pages.rows["run_id"]) == [a, a, a]
    pages = await tracking.runs([("5",), ("6",)], Search(), WHOLE_PAGE)
    assert list(pages.rows["run_id"]) == [a]
    assert await tracking.count_runs([None, ("5", "6")], Search()) == [1, 1]
    assert await tracking.count_runs([("5",), ("6",)], Search()) == [1, 0]
    assert (await tracking.runs_by_id([b, a], {"run_id"})).index == [None, 0]
    assert (await tracking.params([a, b], None)).spans == [(0, 1), (0, 0)]
    assert (await tracking.metrics([a, b], None)).spans == [(0, 1), (0, 0)]
    assert (await tracking.histories([(a, "m"), (b, "m")], None, None)).spans == [(0, 1), (0, 0)]
    assert (await tracking.experiment_tags(["5", "6"], None)).rows.size == 0
    _WORKSPACE.set(None)
    assert await tracking.count_experiments(ANY_STAGE) == 3
    await tracking.close()
