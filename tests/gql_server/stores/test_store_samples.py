"""Samples of histories on each kind of store."""

import math
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal, TypeAlias

import numpy as np
import pytest
from mlflow.entities import Metric

from gql_server.config.settings import Settings
from gql_server.stores.factory import OpenableTracking, store_from
from gql_server.stores.mlflow import history_reader
from gql_server.stores.sampling import sampled_indexes
from schema.ports.errors import LimitExceeded
from schema.ports.table import Many
from schema.ports.tracking import Sample, Series
from tests.support.stores.store import Store

Point: TypeAlias = tuple[int, int, float]

_NAMES = {math.inf: "POSITIVE_INFINITY", -math.inf: "NEGATIVE_INFINITY"}


@pytest.fixture
async def tracking(store: Store) -> AsyncIterator[OpenableTracking]:
    """Give the port as the server opens it."""
    port = store_from(Settings(tracking_uri=store.uri))
    yield port
    await port.close()


def curves() -> dict[str, list[Point]]:
    """Return curves with special values, by key; the points of each are in the order of the port."""
    random.seed(4)
    noise = [random.gauss(0.0, 1.0) for _ in range(300)]
    with_gaps = [math.nan if 40 < step < 60 or step in {0, 120, 121} else noise[step] for step in range(300)]
    odd = [math.inf, -math.inf, math.nan, 1e308, 5e-300, 0.5, -1e308]
    return {
        "noise": [(step, 9, value) for step, value in enumerate(noise)],
        "gaps": [(3 * step, 7, value) for step, value in enumerate(with_gaps)],
        "one step": [(0, 1000 + time, value) for time, value in enumerate(noise)],
        "shared/steps": [(index // 20, index, value) for index, value in enumerate(with_gaps)],
        "far apart": [(-(2**63), 1, 1.0), (0, 1, 2.0), (1, 1, 3.0), (2, 1, 3.0), (2**63 - 1, 1, 4.0)],
        "odd": [(step, 1, odd[step % len(odd)]) for step in range(50)],
        "short": [(0, 1, 0.5), (1, 1, math.nan)],
    }


def log_curves(store: Store, curves: dict[str, list[Point]]) -> str:
    """Log the curves to a new run, in random order; return its id."""
    run_id: str = store.client.create_run("0").info.run_id
    metrics = [
        Metric(key, value, time, step) for key, points in curves.items() for step, time, value in points
    ]
    random.shuffle(metrics)
    for start in range(0, len(metrics), 1000):
        store.client.log_batch(run_id, metrics[start : start + 1000])
    return run_id


def rows(many: Many) -> list[list[tuple[Any, ...]]]:
    """Return each history as tuples."""
    columns = (many.rows[name] for name in ("step", "timestamp", "value", "non_finite"))
    table = list(zip(*columns, strict=True))
    assert len(table) == many.rows.size
    return [table[start:stop] for start, stop in many.spans]


def expected(points: list[Point], sample: Sample) -> list[tuple[Any, ...]]:
    """Return the sample of a logged curve."""
    steps, _, values = (np.array(column) for column in zip(*points, strict=True))
    return [plain(points[index]) for index in sampled_indexes(steps, values, sample)]


def plain(point: Point) -> tuple[Any, ...]:
    """Return a point in the form of the port."""
    step, time, value = point
    finite = math.isfinite(value)
    return step, time, value if finite else None, None if finite else _NAMES.get(value, "NAN")


def samples() -> Iterator[Sample]:
    """Yield samples with each method, small and large."""
    methods: tuple[Literal["lttb", "min_max", "every_nth"], ...] = ("lttb", "min_max", "every_nth")
    for method in methods:
        yield from (Sample(max_points, method) for max_points in (2, 3, 4, 25, 299, 300, 2**31 - 1))


async def test_every_store_gives_the_same_sample(store: Store, tracking: OpenableTracking) -> None:
    """Each kind of store returns the sample of all logged points."""
    logged = curves()
    ids = [log_curves(store, logged) for _ in range(3)]
    series: list[Series] = [(run_id, key) for key in logged for run_id in ids]
    odd: list[Series] = [(ids[0], "none"), ("0" * 32, "noise"), (ids[0], "\x00"), (ids[0], ""), series[2]]
    for sample in samples():
        result = rows(await tracking.histories([*series, *odd], None, None, sample))
        expected_rows = {key: expected(points, sample) for key, points in logged.items()}
        assert result == [
            *(expected_rows[key] for _, key in series),
            [],
            [],
            [],
            [],
            expected_rows[series[2][1]],
        ]


async def test_steps_are_limited_before_sampling(store: Store, tracking: OpenableTracking) -> None:
    """The ends of the sample are the ends of the requested steps; a small part is returned whole."""
    points = curves()["gaps"]
    run_id = log_curves(store, {"m": points})
    sample = Sample(20, "lttb")
    result = rows(await tracking.histories([(run_id, "m")], 90, 600, sample))
    assert result == [expected([point for point in points if 90 <= point[0] <= 600], sample)]
    result = rows(await tracking.histories([(run_id, "m")], 100, 150, sample))
    assert result == [[plain(point) for point in points if 100 <= point[0] <= 150]]
    assert rows(await tracking.histories([(run_id, "m")], 5, 2, sample)) == [[]]


async def test_sample_spans_several_responses(
    store: Store, tracking: OpenableTracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample is of the whole history, not of each response."""
    monkeypatch.setattr(history_reader, "_POINTS_PER_PAGE", 70)
    logged = curves()
    run_id = log_curves(store, logged)
    sample = Sample(30, "min_max")
    result = rows(await tracking.histories([(run_id, key) for key in logged], None, None, sample))
    assert result == [expected(points, sample) for points in logged.values()]


async def test_scanned_and_returned_points_have_limits(store: Store) -> None:
    """Each limit has its own error, which names it; a smaller sample of the same points is returned."""
    line = [(step, 1, step / 4) for step in range(60)]
    series: list[Series] = [(log_curves(store, {"m": line}), "m") for _ in range(4)]
    port = store_from(Settings(tracking_uri=store.uri, max_points=100, max_sampled_points=240))
    assert [len(part) for part in rows(await port.histories(series, None, None, Sample(25, "lttb")))] == [
        25
    ] * 4
    with pytest.raises(LimitExceeded, match=r"the 100 .*GQL_MAX_POINTS.*maxPoints"):
        await port.histories(series, None, None, Sample(26, "lttb"))
    with pytest.raises(LimitExceeded, match=r"the 100 .*GQL_MAX_POINTS.*maxPoints"):
        await port.histories(series, None, None)
    await port.close()
    port = store_from(Settings(tracking_uri=store.uri, max_points=100, max_sampled_points=239))
    with pytest.raises(LimitExceeded, match=r"the 239 .*GQL_MAX_SAMPLED_POINTS.*fromStep"):
        await port.histories(series, None, None, Sample(2, "every_nth"))
    await port.close()
