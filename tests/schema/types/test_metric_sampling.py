"""`maxPoints` and `sampling`: what they ask of the store, and what they refuse."""

import pytest

from schema.ports.tracking import Sample
from tests.support.memory_tracking import MemoryTracking
from tests.support.record_strategies import experiment, metric, point, run
from tests.support.schema_execution import answer

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
async def test_a_sample_is_asked_for(field: str, arguments: str, sample: Sample | None) -> None:
    """The store is told how many points and which; without a number it is asked for all of them."""
    memory = store()
    name, _, below = field.partition(" ")
    asked = await answer(
        memory, f'{{ run(runId: "r") {{ metric(key: "loss") {{ {name}({arguments}) {below} }} }} }}'
    )
    assert asked.errors == []
    assert memory.asked[-1] == ("histories", [("r", "loss")], None, None, sample)


async def test_history_and_series_have_the_points_that_the_store_chose() -> None:
    """Fewer points come as objects and as columns alike, in their order."""
    asked = await answer(
        store(),
        """{ run(runId: "r") { metric(key: "loss") {
            history(maxPoints: 4) { step value }
            series(maxPoints: 4) { steps values }
        } } }""",
    )
    assert asked.data
    assert asked.data["run"]["metric"] == {
        "history": [{"step": step, "value": step / 2} for step in (0, 3, 6, 9)],
        "series": {"steps": [0, 3, 6, 9], "values": [0.0, 1.5, 3.0, 4.5]},
    }


@pytest.mark.parametrize("most", [1, 0, -1, -(2**31)])
async def test_less_than_two_points_are_refused(most: int) -> None:
    """The first point and the last are always kept: less is bad input, and the store is not asked."""
    memory = store()
    below = "series(maxPoints: $most) { steps }"
    query = f'query ($most: Int) {{ run(runId: "r") {{ metric(key: "loss") {{ {below} }} }} }}'
    (error,) = (await answer(memory, query, {"most": most})).errors
    assert error.message == f"maxPoints must be at least 2, not {most}."
    assert getattr(error.original_error, "code", None) == "BAD_USER_INPUT"
    assert memory.calls["histories"] == 0
