"""The memory that samples of long histories take."""

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
from tests.support.schema.port_results import rows_by_parent
from tests.support.stores.sql_rows import insert_experiment, insert_points, insert_runs, run_rows

SAMPLE = Sample(500, "lttb")


def log_long_history(engine: Engine, run_id: str, blocks: int) -> np.ndarray[Any, Any]:
    """Log a thousand points for each block, and return their values."""
    line = [(step, step, float(step % 97)) for step in range(1000)]
    insert_points(engine, run_id, "block", line)
    insert_points(engine, run_id, "blocks", [(1000 * number, 0, 0.0) for number in range(blocks)])
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
def object_counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give a list of the numbers of Python's objects, taken whenever a history is sampled."""
    counts: list[int] = []

    def counted(*arguments: Any) -> Any:
        counts.append(sys.getallocatedblocks())
        return sampled_indexes(*arguments)

    monkeypatch.setattr(point_arrays, "sampled_indexes", counted)
    return counts


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_million_points_create_few_objects(engine: Engine, object_counts: list[int]) -> None:
    """A history of a million points is read with fewer objects than a fiftieth of its points."""
    (run_id,) = insert_runs(engine, insert_experiment(engine, 5), run_rows(1))
    values = log_long_history(engine, run_id, 1000)
    tracking = SqlTracking(engine, LIMITS.store)
    await tracking.histories([(run_id, "m")], None, 1000, SAMPLE)
    before = sys.getallocatedblocks()
    result = await tracking.histories([(run_id, "m")], None, None, SAMPLE)
    expected = LTTBDownsampler().downsample(np.arange(1_000_000.0), values, n_out=500)
    assert list(result.rows["step"]) == expected.tolist()
    assert len(object_counts) == 2
    assert object_counts[1] - before < 20_000
    await tracking.close()


async def test_samples_take_less_memory_than_histories(engine: Engine) -> None:
    """Sampling ten histories reads one at a time, in less than half of the memory of all points."""
    ids = insert_runs(engine, insert_experiment(engine, 5), run_rows(10))
    for run_id in ids:
        log_long_history(engine, run_id, 10)
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
            result = await tracking.histories(series, None, None, sample)
            _, peak = tracemalloc.get_traced_memory()
            peaks.append(peak - before)
            assert result.rows.size == len(ids) * (500 if sample else 10_000)
    finally:
        tracemalloc.stop()
    sampled, whole = peaks
    assert sampled * 2 < whole
    await tracking.close()


async def test_unrequested_series_are_discarded(tracking: SqlTracking, engine: Engine) -> None:
    """Series that are read with the requested ones, but not requested, are not returned."""
    ids = insert_runs(engine, insert_experiment(engine, 5), run_rows(7))
    for number, id_ in enumerate(ids):
        for key in ("a", "b", "c"):
            insert_points(engine, id_, key, [(step, step, float(number)) for step in range(20)])
    series = [(id_, "abc"[number % 3]) for number, id_ in enumerate(ids)]
    series += [(ids[0], "b"), (ids[1], "a"), (ids[1], "c")]
    result = await tracking.histories(series, None, None, Sample(3, "every_nth"))
    owner = [*range(7), 0, 1, 1]
    assert rows_by_parent(result, "step", "value") == [
        [(step, float(number)) for step in (0, 9, 19)] for number in owner
    ]
    assert result.rows.size == 30


@pytest.mark.parametrize("steps", [range(2), range(4), ()])
def test_changed_number_of_points_is_detected(steps: Sequence[int]) -> None:
    """Rows whose number differs from the count are rejected."""
    counts = {("run", "m"): 3}
    collector = SampledPoints(list(counts), SAMPLE, SampleLimits(10, 10)).check(counts)
    assert not collector.collect(iter([[(step, 0, 0.5) for step in steps]]), counts)
