"""What a sample of a long curve costs: the memory of its points as numbers, a series at a time."""

import sys
import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, insert, literal, select
from tsdownsample import LTTBDownsampler

from gql_server.stores import point_arrays
from gql_server.stores.sampling import sampled_indexes
from gql_server.stores.sql.histories.sampled_points import SampledPoints, SampleLimits
from gql_server.stores.sql.tables import METRICS
from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.tracking import Sample
from tests.support.limits import LIMITS
from tests.support.sql_rows import experiment, lists, numbered, points, runs

SAMPLE = Sample(500, "lttb")


def long_curve(engine: Engine, run_id: str, blocks: int) -> np.ndarray[Any, Any]:
    """Log a thousand times as many points as there are blocks, and return their values."""
    line = [(step, step, float(step % 97)) for step in range(1000)]
    points(engine, run_id, "block", line)
    points(engine, run_id, "blocks", [(1000 * number, 0, 0.0) for number in range(blocks)])
    one, many = METRICS.alias(), METRICS.alias()
    step, others = one.c.step + many.c.step, [one.c.timestamp, one.c.value, one.c.is_nan, one.c.run_uuid]
    same_run = one.c.run_uuid == many.c.run_uuid
    both = (
        select(step, *others, literal("m"))
        .join_from(one, many, same_run)
        .where(one.c.key == "block", many.c.key == "blocks", one.c.run_uuid == run_id)
    )
    names = ["step", "timestamp", "value", "is_nan", "run_uuid", "key"]
    with engine.begin() as connection:
        connection.execute(insert(METRICS).from_select(names, both))
    return np.tile([value for _, _, value in line], blocks)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give the list that the number of Python's small objects is added to whenever a whole curve is there."""
    counts: list[int] = []

    def counted(*arguments: Any) -> Any:
        counts.append(sys.getallocatedblocks())
        return sampled_indexes(*arguments)

    monkeypatch.setattr(point_arrays, "sampled_indexes", counted)
    return counts


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_million_points_are_no_million_objects(engine: Engine, held: list[int]) -> None:
    """When all points of the curve are there, fewer objects are than a fiftieth of them; 500 come out."""
    (run_id,) = runs(engine, experiment(engine, 5), numbered(1))
    values = long_curve(engine, run_id, 1000)
    tracking = SqlTracking(engine, LIMITS.store)
    await tracking.histories([(run_id, "m")], None, 1000, SAMPLE)
    before = sys.getallocatedblocks()
    found = await tracking.histories([(run_id, "m")], None, None, SAMPLE)
    expected = LTTBDownsampler().downsample(np.arange(1_000_000.0), values, n_out=500)
    assert found.rows["step"] == expected.tolist()
    assert len(held) == 2
    assert held[1] - before < 20_000
    await tracking.close()


async def test_a_sample_takes_a_part_of_the_memory(engine: Engine) -> None:
    """Of ten curves one is held at a time, as numbers: less than a fifth of what all of them take."""
    ids = runs(engine, experiment(engine, 5), numbered(10))
    for run_id in ids:
        long_curve(engine, run_id, 10)
    tracking = SqlTracking(engine, LIMITS.store)
    series = [(run_id, "m") for run_id in ids]
    for sample in (SAMPLE, None):
        await tracking.histories(series[:1], None, None, sample)
    peaks = []
    tracemalloc.start()
    try:
        for sample in (SAMPLE, None):
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            found = await tracking.histories(series, None, None, sample)
            _, peak = tracemalloc.get_traced_memory()
            peaks.append(peak - before)
            assert found.rows.size == len(ids) * (500 if sample else 10_000)
    finally:
        tracemalloc.stop()
    sampled, whole = peaks
    assert sampled * 5 < whole
    await tracking.close()


async def test_series_that_were_not_asked_for_are_left_out(tracking: SqlTracking, engine: Engine) -> None:
    """Runs may be asked for different metrics; what has to be read for that and is not asked for, goes."""
    ids = runs(engine, experiment(engine, 5), numbered(7))
    for number, id_ in enumerate(ids):
        for key in ("a", "b", "c"):
            points(engine, id_, key, [(step, step, float(number)) for step in range(20)])
    series = [(id_, "abc"[number % 3]) for number, id_ in enumerate(ids)]
    series += [(ids[0], "b"), (ids[1], "a"), (ids[1], "c")]
    found = await tracking.histories(series, None, None, Sample(3, "every_nth"))
    owner = [*range(7), 0, 1, 1]
    assert lists(found, "step", "value") == [[(step, float(own)) for step in (0, 9, 19)] for own in owner]
    assert found.rows.size == 30


@pytest.mark.parametrize("steps", [range(2), range(4), ()])
def test_points_that_come_and_go_while_they_are_read_are_noticed(steps: Sequence[int]) -> None:
    """Rows that are not as many as were counted are not taken for those of a series."""
    counts = {("run", "m"): 3}
    collector = SampledPoints(list(counts), counts, SAMPLE, SampleLimits(10, 10))
    assert not collector.collect(iter([[(step, 0, 0.5) for step in steps]]), counts)
