"""`compareRuns`: the data of several runs side by side."""

from typing import Any

import pytest

from tests.support.schema.execution import execute_query
from tests.support.schema.memory_tracking import MemoryTracking, Record
from tests.support.schema.record_strategies import experiment, metric, run

ALL = """
query ($ids: [ID!]!) { compareRuns(runIds: $ids) {
  runs { runId name }
  params { key differs values }
  metrics { key differs values minimum maximum }
  tags { key differs values }
} }
"""


def pairs(**values: str) -> list[Record]:
    """Return params or tags."""
    return [{"key": key, "value": value} for key, value in values.items()]


def store(**options: Any) -> MemoryTracking:
    """Return a store with three runs that have some keys in common."""
    runs = [
        run(
            "x",
            params=pairs(a="1", b="2"),
            tags=pairs(t="same"),
            metrics=[metric("x", "acc", value=0.5), metric("x", "loss", value=None, non_finite="NAN")],
        ),
        run(
            "y",
            params=pairs(a="1", b=""),
            tags=pairs(t="same"),
            metrics=[metric("y", "acc", value=-2.0), metric("y", "loss", value=1.0)],
        ),
        run("z", params=pairs(a="1", c="3"), tags=[], metrics=[metric("z", "acc", value=4.0)]),
    ]
    return MemoryTracking([experiment(runs=runs)], **options)


async def compared(memory: MemoryTracking, *ids: str, query: str = ALL) -> Any:
    """Return the result of a comparison without errors."""
    result = await execute_query(memory, query, {"ids": list(ids)})
    assert result.errors == []
    assert result.data
    return result.data["compareRuns"]


@pytest.mark.parametrize("included", [True, False])
async def test_each_key_has_a_row_and_each_run_a_column(*, included: bool) -> None:
    """Keys are sorted, values are in the order of runIds, and a missing value is null and differs."""
    assert await compared(store(include_related=included), "z", "x", "y") == {
        "runs": [{"runId": run_, "name": f"run {run_}"} for run_ in "zxy"],
        "params": [
            {"key": "a", "differs": False, "values": ["1", "1", "1"]},
            {"key": "b", "differs": True, "values": [None, "2", ""]},
            {"key": "c", "differs": True, "values": ["3", None, None]},
        ],
        "metrics": [
            {
                "key": "acc",
                "differs": True,
                "values": [4.0, 0.5, -2.0],
                "minimum": -2.0,
                "maximum": 4.0,
            },
            {"key": "loss", "differs": True, "values": [None, None, 1.0], "minimum": 1.0, "maximum": 1.0},
        ],
        "tags": [{"key": "t", "differs": True, "values": [None, "same", "same"]}],
    }


@pytest.mark.parametrize(
    ("values", "differs"),
    [
        ([0.5, 0.5], False),
        ([0.0, -0.0], False),
        (["NAN", "NAN"], False),
        (["NAN", 1.0], True),
        (["NAN", "POSITIVE_INFINITY"], True),
        (["POSITIVE_INFINITY", "NEGATIVE_INFINITY"], True),
        (["NAN", None], True),
    ],
)
async def test_values_that_are_not_finite_differ(values: list[Any], differs: bool) -> None:  # noqa: FBT001
    """They are null and count for neither minimum nor maximum, but each kind differs from others."""
    runs = []
    for index, value in enumerate(values):
        point = {"value": None, "non_finite": value} if isinstance(value, str) else {"value": value}
        logged = [] if value is None else [metric(str(index), "m", **point)]
        runs.append(run(str(index), metrics=logged))
    (row,) = (await compared(MemoryTracking([experiment(runs=runs)]), "0", "1"))["metrics"]
    finite = [value for value in values if isinstance(value, float)]
    assert row["differs"] is differs
    assert row["values"] == [value if isinstance(value, float) else None for value in values]
    assert (row["minimum"], row["maximum"]) == (min(finite, default=None), max(finite, default=None))


async def test_repeated_run_has_two_values() -> None:
    """A repeated run has two equal values, which do not differ."""
    comparison = await compared(store(), "x", "x")
    assert [run_["runId"] for run_ in comparison["runs"]] == ["x", "x"]
    rows = [row for kind in ("params", "metrics", "tags") for row in comparison[kind]]
    assert len(rows) == 5
    assert all(row["values"][0] == row["values"][1] and not row["differs"] for row in rows)


async def test_no_runs_make_an_empty_comparison() -> None:
    """Without runs, the comparison is empty and nothing is looked up."""
    memory = store()
    assert await compared(memory) == {"runs": [], "params": [], "metrics": [], "tags": []}
    assert memory.calls["runs_by_id"] == 0


async def test_single_run_does_not_differ() -> None:
    """The values of a single run do not differ."""
    assert not any(row["differs"] for row in (await compared(store(), "y"))["params"])


async def test_all_unknown_runs_are_named() -> None:
    """Runs that do not exist are an error that names each of them once."""
    result = await execute_query(store(), ALL, {"ids": ["x", "nope", "y", "né", "nope"]})
    (error,) = result.errors
    assert error.message == "There is no run nope, né."
    assert getattr(error.original_error, "code", None) == "NOT_FOUND"
    assert result.data is None


async def test_too_many_runs_are_refused() -> None:
    """More runs than the limit are BAD_USER_INPUT before a store call; the limit itself is accepted."""
    memory = store()
    result = await execute_query(memory, ALL, {"ids": ["x"] * 101})
    (error,) = result.errors
    assert error.message == "compareRuns takes at most 100 runs (GQL_MAX_COMPARED_RUNS), not 101."
    assert getattr(error.original_error, "code", None) == "BAD_USER_INPUT"
    assert not memory.calls
    assert len((await compared(memory, *["x"] * 100))["params"][0]["values"]) == 100


@pytest.mark.parametrize("kind", ["params", "metrics", "tags"])
async def test_only_selected_data_is_read(kind: str) -> None:
    """Each kind of data takes one call if it is selected, and none if the store returned it with the runs."""
    query = f"query ($ids: [ID!]!) {{ compareRuns(runIds: $ids) {{ {kind} {{ key }} }} }}"
    memory = store()
    await compared(memory, "x", "y", "z", query=query)
    assert memory.calls == {"runs_by_id": 1, kind: 1}
    memory = store(include_related=True)
    await compared(memory, "x", "y", "z", query=query)
    assert memory.calls == {"runs_by_id": 1}
    assert memory.requests[0][2] == {"run_id", kind}
