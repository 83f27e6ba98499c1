"""`maxPoints` and `sampling`: the requests that they make to the store, and values that are refused."""

import pytest

from schema.ports.tracking import Sample
from tests.support.schema.execution import execute_query
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.schema.record_strategies import experiment, metric, point, run

_LINE = [point(step) for step in range(10)]


def store() -> MemoryTracking:
    """Return a store with a run that has a metric of ten points."""
    return MemoryTracking([experiment(runs=[run("r", metrics=[metric("r", points=_LINE)])])])


@pytest.mark.parametrize("field", ["history { step }", "series { steps }"])
@pytest.mark.parametrize(
    ("arguments", "sample"),
    [
        ("maxPoints: 4", Sample(4, "lttb")),
        ("maxPoints: 2147483647, sampling: MIN_MAX", Sample(2**31 - 1, "min_max")),
        ("sampling: EVERY_NTH, maxPoints: 2", Sample(2, "every_nth")),
        ("maxPoints: null, sampling: MIN_MAX", None),
        ("sampling: MIN_MAX", None),
    ],
)
async def test_sample_is_requested_from_the_store(field: str, arguments: str, sample: Sample | None) -> None:
    """The store is called with the number of points and the method, or for all points."""
    memory = store()
    name, _, below = field.partition(" ")
    result = await execute_query(
        memory, f'{{ run(runId: "r") {{ metric(key: "loss") {{ {name}({arguments}) {below} }} }} }}'
    )
    assert result.errors == []
    assert memory.requests[-1] == ("histories", [("r", "loss")], None, None, sample)


async def test_history_and_series_have_the_sampled_points() -> None:
    """Both fields return the sampled points in order."""
    result = await execute_query(
        store(),
        """{ run(runId: "r") { metric(key: "loss") {
            history(maxPoints: 4) { step value }
            series(maxPoints: 4) { steps values }
        } } }""",
    )
    assert result.data
    assert result.data["run"]["metric"] == {
        "history": [{"step": step, "value": step / 2} for step in (0, 3, 6, 9)],
        "series": {"steps": [0, 3, 6, 9], "values": [0.0, 1.5, 3.0, 4.5]},
    }


@pytest.mark.parametrize("max_points", [1, 0, -1, -(2**31)])
async def test_less_than_two_points_are_refused(max_points: int) -> None:
    """A maxPoints below 2 is BAD_USER_INPUT without a store call, because both ends are returned."""
    memory = store()
    below = "series(maxPoints: $limit) { steps }"
    query = f'query ($limit: Int) {{ run(runId: "r") {{ metric(key: "loss") {{ {below} }} }} }}'
    (error,) = (await execute_query(memory, query, {"limit": max_points})).errors
    assert error.message == f"maxPoints must be at least 2, not {max_points}."
    assert getattr(error.original_error, "code", None) == "BAD_USER_INPUT"
    assert memory.calls["histories"] == 0
