"""The `where` argument: typed filters with and, or and not."""

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any, Optional

import strawberry

from schema.ports.condition import AllOf, AnyOf, Condition, KeyKind, Not, Operator, Predicate
from schema.ports.errors import BadUserInput, LimitExceeded
from schema.ports.filter_string import count_comparisons
from schema.ports.run_status import RunStatus
from schema.types.scalars import DateTime

_UNSET: Any = strawberry.UNSET

_EQ = "Is this."
_NE = "Is something else; what has no value does not match."
_IN = "Is one of these; an empty list matches nothing."
_NOT_IN = "Is none of these; what has no value does not match."
_LIKE = "Matches this SQL pattern, % for any text and _ for any one character, telling upper from lower case."
_ILIKE = "Matches this SQL pattern whatever the case."
_GT, _GTE, _LT, _LTE = "Is greater.", "Is greater or equal.", "Is less.", "Is less or equal."
_IS_NULL = "true: has no value; false: has one."


def _operator(description: str) -> Any:
    return strawberry.field(default=_UNSET, description=description)


@strawberry.input(description="A test of an id.")
class IdFilter:
    """Each operator given must hold."""

    eq: strawberry.ID | None = _operator(_EQ)
    ne: strawberry.ID | None = _operator(_NE)
    in_: list[strawberry.ID] | None = strawberry.field(default=_UNSET, description=_IN, name="in")
    not_in: list[strawberry.ID] | None = _operator(_NOT_IN)
    is_null: bool | None = _operator(_IS_NULL)


@strawberry.input(description="A test of text.")
class StringFilter:
    """Each operator given must hold."""

    eq: str | None = _operator(_EQ)
    ne: str | None = _operator(_NE)
    in_: list[str] | None = strawberry.field(default=_UNSET, description=_IN, name="in")
    not_in: list[str] | None = _operator(_NOT_IN)
    like: str | None = _operator(_LIKE)
    ilike: str | None = _operator(_ILIKE)
    is_null: bool | None = _operator(_IS_NULL)


@strawberry.input(description="A test of a run's status.")
class RunStatusFilter:
    """Each operator given must hold."""

    eq: RunStatus | None = _operator(_EQ)
    ne: RunStatus | None = _operator(_NE)
    in_: list[RunStatus] | None = strawberry.field(default=_UNSET, description=_IN, name="in")
    not_in: list[RunStatus] | None = _operator(_NOT_IN)


@strawberry.input(description="A test of a point in time.")
class DateTimeFilter:
    """Each operator given must hold."""

    eq: DateTime | None = _operator(_EQ)
    gt: DateTime | None = _operator("Is later.")
    gte: DateTime | None = _operator("Is this or later.")
    lt: DateTime | None = _operator("Is earlier.")
    lte: DateTime | None = _operator("Is this or earlier.")
    is_null: bool | None = _operator(_IS_NULL)


@strawberry.input(description="A test of a number.")
class FloatFilter:
    """Each operator given must hold."""

    eq: float | None = _operator(_EQ)
    ne: float | None = _operator(_NE)
    gt: float | None = _operator(_GT)
    gte: float | None = _operator(_GTE)
    lt: float | None = _operator(_LT)
    lte: float | None = _operator(_LTE)


@strawberry.input(
    description=(
        "A test of the param or tag under a key. gt, gte, lt and lte compare its text as a number; "
        "text that is no number never matches."
    )
)
class KeyedFilter:
    """Each operator given must hold; at least one is needed."""

    key: str = strawberry.field(description="The key.")
    eq: str | None = _operator(_EQ)
    ne: str | None = _operator("Is there and is something else.")
    in_: list[str] | None = strawberry.field(default=_UNSET, description=_IN, name="in")
    not_in: list[str] | None = _operator("Is there and is none of these.")
    like: str | None = _operator(_LIKE)
    ilike: str | None = _operator(_ILIKE)
    gt: float | None = _operator(_GT)
    gte: float | None = _operator(_GTE)
    lt: float | None = _operator(_LT)
    lte: float | None = _operator(_LTE)
    is_null: bool | None = _operator("true: there is nothing under the key; false: there is.")


@strawberry.input(
    description="A test of the last value of the metric under a key; NaN matches ne and isNull: false alone."
)
class MetricFilter:
    """Each operator given must hold; at least one is needed."""

    key: str = strawberry.field(description="The key.")
    eq: float | None = _operator(_EQ)
    ne: float | None = _operator("Is there and is something else.")
    gt: float | None = _operator(_GT)
    gte: float | None = _operator(_GTE)
    lt: float | None = _operator(_LT)
    lte: float | None = _operator(_LTE)
    is_null: bool | None = _operator("true: was never logged; false: was logged.")


_AND = "All of these hold; an empty list always does."
_OR = "At least one of these holds; an empty list never does."
_NOT = "This does not hold."
_PARAM = "All of these tests of params hold."
_TAG = "All of these tests of tags hold."


@strawberry.input(description="A condition on runs; every field given must hold.")
class RunFilter:
    """What `where` takes of runs."""

    and_: Optional[list["RunFilter"]] = strawberry.field(default=_UNSET, description=_AND, name="and")  # noqa: UP045
    or_: Optional[list["RunFilter"]] = strawberry.field(default=_UNSET, description=_OR, name="or")  # noqa: UP045
    not_: Optional["RunFilter"] = strawberry.field(default=_UNSET, description=_NOT, name="not")
    run_id: IdFilter | None = _operator("MLflow's id of the run.")
    experiment_id: IdFilter | None = _operator("MLflow's id of the run's experiment.")
    parent_run_id: IdFilter | None = _operator("The parent run's id; isNull: true gives root runs.")
    name: StringFilter | None = _operator("The run's name.")
    user_id: StringFilter | None = _operator("Who started the run.")
    status: RunStatusFilter | None = _operator("Where the run is in its life.")
    started_at: DateTimeFilter | None = _operator("When the run started.")
    ended_at: DateTimeFilter | None = _operator("When the run ended; isNull: true gives runs that have not.")
    duration_seconds: FloatFilter | None = _operator("The time from start to end; unended runs never match.")
    param: list[KeyedFilter] | None = _operator(_PARAM)
    tag: list[KeyedFilter] | None = _operator(_TAG)
    metric: list[MetricFilter] | None = _operator("All of these tests of metrics hold.")


@strawberry.input(description="A condition on experiments; every field given must hold.")
class ExperimentFilter:
    """What `where` takes of experiments."""

    and_: Optional[list["ExperimentFilter"]] = strawberry.field(default=_UNSET, description=_AND, name="and")  # noqa: UP045
    or_: Optional[list["ExperimentFilter"]] = strawberry.field(default=_UNSET, description=_OR, name="or")  # noqa: UP045
    not_: Optional["ExperimentFilter"] = strawberry.field(default=_UNSET, description=_NOT, name="not")
    experiment_id: IdFilter | None = _operator("MLflow's id of the experiment.")
    name: StringFilter | None = _operator("The experiment's name.")
    tag: list[KeyedFilter] | None = _operator(_TAG)
    created_at: DateTimeFilter | None = _operator("When it was created.")
    updated_at: DateTimeFilter | None = _operator("When it was last changed itself.")


RunWhere = Annotated[
    RunFilter | None,
    strawberry.argument(description="A condition that may use and, or and not; with filter, both must hold."),
]
ExperimentWhere = Annotated[
    ExperimentFilter | None,
    strawberry.argument(description="A condition that may use and, or and not; with filter, both must hold."),
]

_DEEPEST = 20
"""How deep conditions may nest: databases, and Python, recurse into them."""
_LONGEST_PATTERN = 10_000
"""Characters of a pattern; SQLite refuses 50,000, and no param or tag has more than 8,000."""
_LOGGED: tuple[KeyKind, ...] = ("param", "tag", "metric")
_OPERATORS: dict[str, Operator] = {
    "eq": "eq", "ne": "ne", "in_": "in", "not_in": "not_in", "like": "like", "ilike": "ilike",
    "gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte", "is_null": "is_null",
}  # fmt: skip


def condition(
    where: RunFilter | ExperimentFilter | None, most: int, filter_: str | None = None
) -> Condition | None:
    """Return the condition that `where` means, or None.

    Raises `BadUserInput` for a test without an operator and for a pattern that is too long, `LimitExceeded`
    for more than `most` conditions in all, with those of the filter string that must hold beside it.
    """
    beside = count_comparisons(filter_, most)
    if where is None:
        return None
    meant = AllOf(tuple(_parts(where, 1)))
    if _size(meant) + beside > most:
        with_it = " with those of filter" if beside else ""
        message = f"where has more than {most} conditions{with_it} (GQL_MAX_CONDITIONS)."
        raise LimitExceeded(message)
    return meant


def _size(meant: Condition) -> int:
    if isinstance(meant, Predicate):
        return 1
    if isinstance(meant, Not):
        return 1 + _size(meant.part)
    return 1 + sum(map(_size, meant.parts))


def _parts(where: RunFilter | ExperimentFilter, depth: int) -> Iterator[Condition]:
    if depth > _DEEPEST:
        message = f"where nests and, or and not more than {_DEEPEST} deep."
        raise LimitExceeded(message)
    for name, given in _given(where):
        if name == "and_":
            yield AllOf(tuple(AllOf(tuple(_parts(part, depth + 1))) for part in given))
        elif name == "or_":
            yield AnyOf(tuple(AllOf(tuple(_parts(part, depth + 1))) for part in given))
        elif name == "not_":
            yield Not(AllOf(tuple(_parts(given, depth + 1))))
        elif name in _LOGGED:
            yield from (test for entry in given for test in _tests(name, entry.key, entry))
        else:
            yield from _tests("attribute", name, given)


def _tests(by: KeyKind, key: str, entry: Any) -> list[Predicate]:
    tests = [
        Predicate(by, key, _OPERATORS[name], _plain(value))
        for name, value in _given(entry)
        if name in _OPERATORS
    ]
    if by != "attribute" and not tests:
        message = f"The test of {by} {key!r} has no operator; isNull: false asks whether it is there."
        raise BadUserInput(message)
    if any(test.operator in {"like", "ilike"} and len(str(test.value)) > _LONGEST_PATTERN for test in tests):
        message = f"A pattern of like or ilike may have {_LONGEST_PATTERN:,} characters at most."
        raise BadUserInput(message)
    return tests


def _given(entry: Any) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in vars(entry).items() if value is not None and value is not _UNSET)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    return value.value if isinstance(value, Enum) else value
