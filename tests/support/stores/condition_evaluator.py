"""The reference for conditions and orders: a simple evaluator over records.

The records are written to real stores; each store must return what the evaluator returns.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from schema.ports.condition import PARENT_TAG, AllOf, AnyOf, Condition, Not
from schema.ports.tracking import Order

TEXTS = [
    "Adam",
    "adam",
    "a%b",
    "a_b",
    "it's",
    'say "x"',
    "`",
    "日本",
    "",
    " x ",
    "\\",
    "É",
    "é",
    "a\nb",
    "10",
    "a\\b",
    "🙂",
    "ñ",
]
NUMBERS = [
    "0.01",
    "1e-2",
    "10",
    "9",
    "-3",
    "+5.",
    ".5",
    "1e400",
    "1e-400",
    "1_000",
    "0x10",
    "nan",
    "inf",
    "1\n",
]
KEYS = ["opt", "lr", "a b", "x.y", "é", "in"]
METRICS = [0.0, -1.5, 0.5, 3.0, 1e-9, 1e300, math.nan, math.inf, -math.inf]


@dataclass
class Record:
    """A run to write; `parent` is the index of its parent in the list of records."""

    name: str
    user_id: str | None
    status: str
    started_at: int | None
    ended_at: int | None
    parent: int | None
    params: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, float]
    run_id: str = ""
    experiment_id: str = ""
    parent_run_id: str | None = None
    experiment: int = field(default=0)

    @property
    def duration_seconds(self) -> float | None:
        """Return the duration."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at) / 1000


def records() -> list[Record]:
    """Return runs with diverse values, and some without any."""
    result = []
    for number in range(24):
        ended = number % 3 != 0
        result.append(
            Record(
                name=TEXTS[number % len(TEXTS)] or "x",
                user_id=["me", "You", "you", None][number % 4],
                status=["RUNNING", "FINISHED", "FAILED", "KILLED"][number % 4 if ended else 0],
                started_at=None if number % 11 == 3 else 1000 + 500 * (number % 7),
                ended_at=2000 + 250 * number if ended else None,
                parent=number - 1 if number % 5 == 4 else None,
                params={
                    _cased(key, number): (TEXTS + NUMBERS)[
                        (number * 7 + position * 5) % (len(TEXTS) + len(NUMBERS))
                    ]
                    for position, key in enumerate(KEYS)
                    if (number + position) % 4
                },
                tags={
                    _cased(key, number): (NUMBERS + TEXTS)[
                        (number * 3 + position * 11) % (len(TEXTS) + len(NUMBERS))
                    ]
                    for position, key in enumerate(KEYS)
                    if (number + position) % 3
                },
                metrics={
                    _cased(key, number): METRICS[(number + position * 2) % len(METRICS)]
                    for position, key in enumerate(KEYS)
                    if (number + position) % 5
                },
                experiment=number % 2,
            )
        )
    return result


def _cased(key: str, number: int) -> str:
    # Never both cases in one run, because MySQL treats them as one key.
    return key.upper() if number % 5 == 2 else key


def write_runs(runs: Sequence[Record], client: MlflowClient) -> None:
    """Write the runs into two new experiments, and set the ids of the records."""
    ids = [client.create_experiment(f"conditions {number}") for number in range(2)]
    for record in runs:
        record.experiment_id = ids[record.experiment]
        record.parent_run_id = None if record.parent is None else runs[record.parent].run_id
        # A client of the REST API may omit user and start time, which are then empty and 0.
        run = client._tracking_client.store.create_run(  # noqa: SLF001 - the public method sets both
            record.experiment_id, record.user_id or "", record.started_at or 0, [], record.name
        )
        record.run_id = run.info.run_id
        if record.parent_run_id is not None:
            record.tags[PARENT_TAG] = record.parent_run_id
        client.log_batch(
            record.run_id,
            [Metric(key, value, 1, 0) for key, value in record.metrics.items()],
            [Param(key, value) for key, value in record.params.items()],
            [RunTag(key, value) for key, value in record.tags.items()],
        )
        if record.ended_at is None:
            client.update_run(record.run_id, record.status)
        else:
            client.set_terminated(record.run_id, record.status, record.ended_at)


def number_in(text: str) -> float | None:
    """Return the number in a text; None if it is not a number."""
    match = re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text, re.ASCII)
    return float(text) if match and math.isfinite(float(text)) else None


def matches(condition: Condition, run: Record) -> bool:
    """Return whether a run matches a condition; this defines the expected result."""
    if isinstance(condition, AllOf | AnyOf):
        return (all if isinstance(condition, AllOf) else any)(matches(part, run) for part in condition.parts)
    if isinstance(condition, Not):
        return not matches(condition.part, run)
    by, operator, expected = condition.by, condition.operator, condition.value
    value: Any = (
        getattr(run, condition.key) if by == "attribute" else getattr(run, f"{by}s").get(condition.key)
    )
    if operator == "is_null":
        return (value is None) is expected
    if by in {"param", "tag"} and operator in {"gt", "gte", "lt", "lte"}:
        value = None if value is None else number_in(value)
    return value is not None and bool(_COMPARE[operator](value, expected))


_COMPARE: dict[str, Any] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "in": lambda a, b: a in b,
    "not_in": lambda a, b: a not in b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "like": lambda a, b: _like(a, b),  # noqa: PLW0108 - defined below
    "ilike": lambda a, b: _like(_lower(a), _lower(b)),
}


def _like(text: str, pattern: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(_like(text[start:], pattern[1:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in {"_", text[0]} and _like(text[1:], pattern[1:])


def _lower(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def sort_value(entry: Order, run: Record) -> tuple[int, Any]:
    """Return the rank and the value by which an order sorts a run."""
    value: Any
    if entry.by == "attribute":
        value = getattr(run, "duration_seconds" if entry.key == "duration" else entry.key)
        value = int(value) if entry.key == "experiment_id" else value
        return (3, 0) if value is None else (0, value)
    value = getattr(run, f"{entry.by}s").get(entry.key)
    if value is None:
        return 3, 0
    if entry.by == "metric":
        return (2, 0) if math.isnan(value) else (0, value)
    number = number_in(value)
    return (1, value) if number is None else (0, number)


def sorted_runs(order: Sequence[Order], runs: Sequence[Record]) -> list[Record]:
    """Return runs in an order; this defines the expected result."""
    result = sorted(runs, key=lambda run: run.run_id)
    for entry in reversed(order or [Order("attribute", "started_at", descending=True)]):
        result = _sorted_by(entry, result)
    return result


def _sorted_by(entry: Order, runs: Sequence[Record]) -> list[Record]:
    # Python's sort is stable in both directions.
    ranks = sorted({sort_value(entry, run)[0] for run in runs})
    return [
        run
        for rank in ranks
        for run in sorted(
            (run for run in runs if sort_value(entry, run)[0] == rank),
            key=lambda run: sort_value(entry, run)[1],
            reverse=entry.descending,
        )
    ]
