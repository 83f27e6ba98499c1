"""Invalid and unusual data in a level: the result, the errors and the fallbacks are those of graphql-core."""

from typing import Any

import pytest
from graphql import GraphQLError

from schema.ports.errors import NotFound
from schema.ports.table import Many, Table
from tests.support.schema.comparison import execute_and_compare
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.schema.record_strategies import (
    UnknownType,
    experiment,
    experiments,
    metric,
    point,
    run,
)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        pytest.param("name", None, "Cannot return null for non-nullable field Experiment.name.", id="null"),
        pytest.param("name", NotFound("gone"), "gone", id="an error that String could serialize"),
        pytest.param("name", ValueError("boom"), "boom", id="an error"),
        pytest.param("name", GraphQLError("located"), "located", id="an error of GraphQL"),
        pytest.param("name", [1], "String cannot represent value: [1]", id="no text"),
        pytest.param("experiment_id", NotFound("gone"), "gone", id="an error that ID could serialize"),
        pytest.param(
            "lifecycle_stage", "BOGUS", "Enum 'LifecycleStage' cannot represent value: 'BOGUS'", id="enum"
        ),
        pytest.param(
            "lifecycle_stage", [], "Enum 'LifecycleStage' cannot represent value: []", id="unhashable"
        ),
    ],
)
async def test_invalid_value_in_non_null_field(name: str, value: Any, message: str) -> None:
    """An invalid value of a non-null field nulls the nearest nullable parent; its error has its path."""
    store = MemoryTracking([experiment("0"), experiment("1", runs=[]) | {name: value}])
    level = await execute_and_compare(
        "{ experiments(view: ALL) { nodes { experimentId name lifecycleStage } } }", store
    )
    field = {"experiment_id": "experimentId", "lifecycle_stage": "lifecycleStage"}.get(name, name)
    assert level.data is None
    assert [(error.message, error.path) for error in level.errors] == [
        (message, ["experiments", "nodes", 1, field])
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "Float cannot represent non numeric value: nan"),
        (float("-inf"), "Float cannot represent non numeric value: -inf"),
        ("high", "Float cannot represent non numeric value: 'high'"),
        (NotFound("gone"), "gone"),
    ],
)
async def test_invalid_value_in_nullable_field(value: Any, message: str) -> None:
    """An invalid value of a nullable field is null, and reported for each row."""
    bad = [point(0), point(1, value=value), point(2), point(3, value=value)]
    store = MemoryTracking([experiment(runs=[run("r", metrics=[metric("r", points=bad)])])])
    level = await execute_and_compare(
        "{ runs { nodes { metrics { history { value } series { values } } } } }", store
    )
    (loss,) = level.data["runs"]["nodes"][0]["metrics"]  # type: ignore[index]
    assert [each["value"] for each in loss["history"]] == loss["series"]["values"] == [0.0, None, 1.0, None]
    assert level.messages == [message] * 4


async def test_convertible_values_do_not_fall_back() -> None:
    """Values that graphql-core's scalars convert are converted without a fallback."""
    odd = experiment(name=UnknownType(), artifact_location=True, runs=[]) | {"experiment_id": 7}
    store = MemoryTracking([odd, experiment("1", name=2.5)])
    level = await execute_and_compare(
        "{ experiments { nodes { experimentId name artifactLocation } } }", store
    )
    assert level.data == {
        "experiments": {
            "nodes": [
                {"experimentId": "7", "name": "odd", "artifactLocation": "true"},
                {"experimentId": "1", "name": "2.5", "artifactLocation": "here"},
            ]
        }
    }
    assert level.fallbacks == []


async def test_invalid_shared_row_is_reported_for_each_parent() -> None:
    """Parents that share an invalid row have its error at their own paths."""
    store = MemoryTracking([experiment(name=None)])
    level = await execute_and_compare("{ runs { nodes { runId experiment { name } } } }", store)
    assert level.data == {
        "runs": {"nodes": [{"runId": "0.0", "experiment": None}, {"runId": "0.1", "experiment": None}]}
    }
    assert [error.path for error in level.errors] == [
        ["runs", "nodes", number, "experiment", "name"] for number in (0, 1)
    ]


async def test_invalid_row_nulls_only_its_own_parent() -> None:
    """An invalid run nulls only the page of its experiment, if the parent field is nullable."""
    bad = [run("0.0", "9"), run("0.1", "0", status=None)]
    store = MemoryTracking([experiment("0", runs=bad), experiment("1")])
    level = await execute_and_compare(
        '{ a: run(runId: "0.0") { status experiment { name } } b: run(runId: "0.1") { status } }', store
    )
    assert level.data == {"a": {"status": "FINISHED", "experiment": None}, "b": None}
    assert [error.path for error in level.errors] == [["b", "status"]]


@pytest.mark.parametrize(("values", "is_error"), [("x", True), ("xy", False), ("xyz", False)])
async def test_columns_of_wrong_length_fall_back(values: str, *, is_error: bool) -> None:
    """Columns with too few or too many rows are not truncated: execution falls back to single rows."""

    class Broken(MemoryTracking):
        async def params(self, *_: Any) -> Many:
            return Many(Table(2, {"key": ["a", "b"], "value": list(values)}), [(0, 1), (1, 2)])

    level = await execute_and_compare(
        "{ runs { nodes { params { key value } } } }", Broken(experiments(1, 2))
    )
    assert bool(level.errors) is is_error
    assert (["runs", "nodes"] in level.fallbacks) is (len(values) != 2)
