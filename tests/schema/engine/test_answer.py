"""The size of an answer while it is made."""

import pytest

from schema.build import ROOT
from schema.engine.answer import Answer
from schema.engine.execution import execute_operation
from schema.engine.operation import Operation
from schema.ports.errors import LimitExceeded
from tests.support.schema.document_strategies import SCHEMA
from tests.support.schema.execution import (
    LIMITS,
    SERVER_INFO,
    ChunkEncoder,
    parsed,
    plans_of,
)
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.schema.record_strategies import experiment, metric, point, run


def test_answer_may_have_as_many_bytes_as_the_limit() -> None:
    """One byte more is refused, and the error names the setting."""
    answer = Answer(max_bytes=100)
    answer.add_bytes(60)
    answer.add_bytes(40)
    assert answer.error is None
    with pytest.raises(LimitExceeded, match=r"100 bytes \(GQL_MAX_ANSWER_BYTES\)"):
        answer.add_bytes(1)
    assert answer.error is not None


def test_texts_of_repeated_columns_count_each_time() -> None:
    """A text that one alias selects is in memory already; JSON has it once for each further alias."""
    texts, other = ["x" * 1000, None, "y" * 500], [1, 2, 3]
    once, twice = Answer(max_bytes=1500), Answer(max_bytes=1500)
    once.add_objects(3, [texts, other])
    with pytest.raises(LimitExceeded):
        twice.add_objects(3, [texts, other, texts])


_LONG = [point(step) for step in range(9000)]
_PARAMS = [{"key": f"p{number}", "value": "x" * 500} for number in range(50)]
_RUNS = [run("r", metrics=[metric("r", points=_LONG)], params=_PARAMS)]


@pytest.mark.parametrize(
    ("selection", "fits"),
    [
        ("metrics { series { steps } }", True),
        ("metrics { series { " + " ".join(f"a{n}: steps" for n in range(20)) + " } }", False),
        ("metrics { history { step value timestamp } }", False),
        ("params { value }", True),
        ("params { " + " ".join(f"a{n}: value" for n in range(50)) + " }", False),
    ],
)
async def test_large_answer_is_an_error_without_data(selection: str, fits: bool) -> None:  # noqa: FBT001
    """Aliases count each, whether a list is encoded in chunks or not; graphql-core does not try again."""
    store = MemoryTracking([experiment(runs=_RUNS)])
    answer = Answer(ChunkEncoder(), max_bytes=300_000)
    operation = Operation(store, SERVER_INFO, LIMITS, answer=answer)
    text = f"{{ runs {{ nodes {{ {selection} }} }} }}"
    result = await execute_operation(
        SCHEMA, parsed(text), plans_of(text).planned({}), root=ROOT, operation=operation, variables={}
    )
    operation.close()
    if fits:
        assert result.errors is None
        return
    assert result.data is None
    (error,) = result.errors or []
    assert isinstance(error.original_error, LimitExceeded)
    assert error.path is None
