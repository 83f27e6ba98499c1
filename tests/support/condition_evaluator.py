"""What is right about conditions and orders: an evaluator of a dozen lines over plain records, and questions.

The records are written to real stores; each store must find what the evaluator finds.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from schema.ports.condition import PARENT_TAG, AllOf, AnyOf, Condition, Not, Predicate
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
    """A run as it was written; `parent` is the place of its parent among the records."""

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
        """Return how long it took."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at) / 1000


def records() -> list[Record]:
    """Return runs that have something of everything, and some of them nothing of it."""
    made = []
    for number in range(24):
        ended = number % 3 != 0
        made.append(
            Record(
                name=TEXTS[number % len(TEXTS)] or "x",
                user_id=["me", "You", "you", None][number % 4],
                status=["RUNNING", "FINISHED", "FAILED", "KILLED"][number % 4 if ended else 0],
                started_at=None if number % 11 == 3 else 1000 + 500 * (number % 7),
                ended_at=2000 + 250 * number if ended else None,
                parent=number - 1 if number % 5 == 4 else None,
                params={
                    _cased(key, number): (TEXTS + NUMBERS)[
                        (number * 7 + place * 5) % (len(TEXTS) + len(NUMBERS))
                    ]
                    for place, key in enumerate(KEYS)
                    if (number + place) % 4
                },
                tags={
                    _cased(key, number): (NUMBERS + TEXTS)[
                        (number * 3 + place * 11) % (len(TEXTS) + len(NUMBERS))
                    ]
                    for place, key in enumerate(KEYS)
                    if (number + place) % 3
                },
                metrics={
                    _cased(key, number): METRICS[(number + place * 2) % len(METRICS)]
                    for place, key in enumerate(KEYS)
                    if (number + place) % 5
                },
                experiment=number % 2,
            )
        )
    return made


def _cased(key: str, number: int) -> str:
    # Never both in one run, which MySQL would take for one.
    return key.upper() if number % 5 == 2 else key


def write(made: Sequence[Record], client: MlflowClient) -> None:
    """Write the runs into two new experiments, and note their ids."""
    ids = [client.create_experiment(f"conditions {number}") for number in range(2)]
    for record in made:
        record.experiment_id = ids[record.experiment]
        record.parent_run_id = None if record.parent is None else made[record.parent].run_id
        # As a client of the REST API may: without user and start, which are empty and 0 then.
        run = client._tracking_client.store.create_run(  # noqa: SLF001 - the client's own adds both
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
    """Return the number that a text is."""
    written = re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text, re.ASCII)
    return float(text) if written and math.isfinite(float(text)) else None


def holds(condition: Condition, run: Record) -> bool:
    """Say whether a condition holds for a run: this is what is right."""
    if isinstance(condition, AllOf | AnyOf):
        return (all if isinstance(condition, AllOf) else any)(holds(part, run) for part in condition.parts)
    if isinstance(condition, Not):
        return not holds(condition.part, run)
    by, operator, wanted = condition.by, condition.operator, condition.value
    found: Any = (
        getattr(run, condition.key) if by == "attribute" else getattr(run, f"{by}s").get(condition.key)
    )
    if operator == "is_null":
        return (found is None) is wanted
    if by in {"param", "tag"} and operator in {"gt", "gte", "lt", "lte"}:
        found = None if found is None else number_in(found)
    return found is not None and bool(_COMPARE[operator](found, wanted))


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


def place(entry: Order, run: Record) -> tuple[int, Any]:
    """Return where an order puts a run: a class, and a value in it."""
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


def ordered(order: Sequence[Order], found: Sequence[Record]) -> list[Record]:
    """Return runs in an order: this is what is right."""
    runs = sorted(found, key=lambda run: run.run_id)
    for entry in reversed(order or [Order("attribute", "started_at", descending=True)]):
        runs = _by(entry, runs)
    return runs


def _by(entry: Order, runs: Sequence[Record]) -> list[Record]:
    # Python's sort leaves what is level as it was, in both directions.
    kinds = sorted({place(entry, run)[0] for run in runs})
    return [
        run
        for kind in kinds
        for run in sorted(
            (run for run in runs if place(entry, run)[0] == kind),
            key=lambda run: place(entry, run)[1],
            reverse=entry.descending,
        )
    ]


def _near(text: str, place: int, wild: str) -> str:
    """Return a pattern for a text: what is at a place, or from there on, may be anything."""
    place %= len(text) + 1
    return f"{text[:place]}{wild}{text[place + 1 :] if wild == '_' else ''}"


_patterns = st.text(st.sampled_from("aAb%_é日'\\\n"), max_size=5) | st.builds(
    _near, st.sampled_from(TEXTS), st.integers(0, 9), st.sampled_from(["", "_", "%"])
)
_texts = st.sampled_from(TEXTS + NUMBERS) | _patterns
_numbers = st.sampled_from([0.0, 0.5, -1.5, 3.0, 10.0, 0.01, 1e-9, 1e300, -1e300, 2.5])
_times = st.integers(900, 8500)


def _some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=3).map(tuple)


def _of_text(
    by: Any, keys: Sequence[str], values: st.SearchStrategy[str]
) -> list[st.SearchStrategy[Predicate]]:
    key = st.sampled_from(keys)
    return [
        st.builds(Predicate, st.just(by), key, st.sampled_from(["eq", "ne"]), values),
        st.builds(Predicate, st.just(by), key, st.sampled_from(["in", "not_in"]), _some(values)),
        st.builds(Predicate, st.just(by), key, st.sampled_from(["like", "ilike"]), _patterns),
        st.builds(Predicate, st.just(by), key, st.just("is_null"), st.booleans()),
    ]


def _of_numbers(by: Any, keys: Sequence[str], operators: str, values: Any) -> st.SearchStrategy[Predicate]:
    return st.builds(
        Predicate, st.just(by), st.sampled_from(keys), st.sampled_from(operators.split()), values
    )


def tests(made: Sequence[Record]) -> st.SearchStrategy[Predicate]:
    """Return tests of all that runs have."""
    keys = [*KEYS, *map(str.upper, KEYS), "nothing", "a`b", 'a"b', "tail "]
    ids = st.sampled_from([run.run_id for run in made]) | st.sampled_from(["nothing", "0" * 32])
    experiments = st.sampled_from([made[0].experiment_id, made[1].experiment_id, "0", "007", "x"])
    ordered_ = "gt gte lt lte"
    times = ["started_at", "ended_at"]
    return st.one_of(
        *_of_text("param", keys, _texts),
        *_of_text("tag", keys, _texts),
        *_of_text("attribute", ["name", "user_id"], _texts | st.sampled_from(["me", "you"])),
        *_of_text("attribute", ["run_id"], ids),
        *_of_text("attribute", ["parent_run_id"], ids),
        *_of_text("attribute", ["status"], st.sampled_from(["RUNNING", "FINISHED", "KILLED"]))[:2],
        *_of_text("attribute", ["experiment_id"], experiments)[:2],
        _of_numbers("param", keys, ordered_, _numbers),
        _of_numbers("tag", keys, ordered_, _numbers),
        _of_numbers("metric", keys, f"eq ne {ordered_}", _numbers),
        st.builds(Predicate, st.just("metric"), st.sampled_from(keys), st.just("is_null"), st.booleans()),
        _of_numbers("attribute", times, f"eq {ordered_}", _times),
        _of_numbers("attribute", ["duration_seconds"], f"eq ne {ordered_}", _numbers),
        st.builds(Predicate, st.just("attribute"), st.sampled_from(times), st.just("is_null"), st.booleans()),
    )


def conditions(made: Sequence[Record]) -> st.SearchStrategy[Condition]:
    """Return conditions of tests with and, or and not."""
    return st.recursive(
        tests(made),
        lambda parts: (
            st.lists(parts, max_size=3).map(tuple).map(AllOf)
            | st.lists(parts, max_size=3).map(tuple).map(AnyOf)
            | parts.map(Not)
        ),
        max_leaves=6,
    )


def orders() -> st.SearchStrategy[tuple[Order, ...]]:
    """Return orders of one to three keys, of all that runs are ordered by."""
    attributes = [
        "run_id",
        "name",
        "status",
        "user_id",
        "started_at",
        "ended_at",
        "duration",
        "experiment_id",
    ]
    logged = st.builds(
        Order,
        st.sampled_from(["metric", "param", "tag"]),
        st.sampled_from([*KEYS, *map(str.upper, KEYS), "nothing"]),
        st.booleans(),
    )
    by_attribute = st.builds(Order, st.just("attribute"), st.sampled_from(attributes), st.booleans())
    return st.lists(logged | by_attribute, max_size=3).map(tuple)
