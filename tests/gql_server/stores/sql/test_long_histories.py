"""Long histories: counted, and read in parts by position."""

import sys
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from gql_server.stores.sql.tables import METRICS
from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.errors import BadUserInput
from tests.support.stores.sql_rows import insert_experiment, insert_points, insert_runs, run_rows

_POINTS = [
    *((0, 9, 1.0), (0, 3, 2.0), (-2, 5, 3.0), (0, 3, -1.0), (7, 1, 0.1 + 0.2), (7, 1, 1e-300)),
    *((0, 3, sys.float_info.max), (0, 3, -sys.float_info.max), (2**62, 2**61, 0.5)),
]


@pytest.fixture
def filled(engine: Engine) -> list[str]:
    """Insert three runs, of which one has points that share steps and times, and a NaN among them."""
    ids = insert_runs(engine, insert_experiment(engine, 5), run_rows(3))
    insert_points(engine, ids[0], "m", _POINTS)
    insert_points(engine, ids[0], "other", [(step, step, 1.0) for step in range(4)])
    insert_points(engine, ids[1], "m", [(0, 0, 0.0)])
    with engine.begin() as connection:
        nan = {"key": "m", "step": 0, "timestamp": 3, "run_uuid": ids[0], "value": 0.0, "is_nan": True}
        connection.execute(insert(METRICS), [nan])
    return ids


async def test_points_are_counted_in_one_statement(
    tracking: SqlTracking, filled: list[str], statements: list[str]
) -> None:
    """Each series is counted, all in one statement; a missing series has no points."""
    series = [(filled[1], "m"), (filled[0], "other"), (filled[0], "m"), (filled[2], "m"), (filled[0], "no")]
    assert await tracking.count_points([(filled[0], "m"), (filled[1], "m")]) == [10, 1]
    statements.clear()  # the first statement came after the inspection of the database
    assert await tracking.count_points(series) == [1, 4, 10, 0, 0]
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 1
    assert await tracking.count_points([(filled[0], "\x00")]) == [0]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_parts_join_to_the_whole_history(tracking: SqlTracking, filled: list[str], size: int) -> None:
    """The parts together are the whole history, with ties, NaN and infinities."""
    whole = await tracking.histories([(filled[0], "m")], None, None)
    joined: dict[str, list[Any]] = {name: [] for name in ("step", "timestamp", "value", "non_finite")}
    after = None
    while True:
        part = await tracking.points_after((filled[0], "m"), after, size)
        if not part.size:
            break
        assert part.size <= size
        for name, column in joined.items():
            column.extend(part[name])
        after = (part["step"][-1], part["timestamp"][-1], part["stored"][-1])
    assert joined == {name: list(whole.rows[name]) for name in joined}


async def test_invalid_run_id_is_refused(tracking: SqlTracking, filled: list[str]) -> None:
    """An invalid run id is refused; a missing metric has no points."""
    with pytest.raises(BadUserInput):
        await tracking.points_after(("../x", "m"), None, 1)
    assert (await tracking.points_after((filled[2], "m"), None, 1)).size == 0
    assert (await tracking.points_after((filled[0], "\x00"), None, 1)).size == 0
