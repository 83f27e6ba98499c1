"""The `where` argument: typed filters that combine with and, or and not."""

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

_EQ = "Equal to this value."
_NE = "Not equal to this value. A missing value does not match."
_IN = "Equal to one of these values. An empty list matches nothing."
_NOT_IN = "Equal to none of these values. A missing value does not match."
_LIKE = "Matches this SQL pattern (% is any text, _ is any one character); case-sensitive."
_ILIKE = "Matches this SQL pattern (% is any text, _ is any one character); case-insensitive."
_GT = "Greater than this value."
_GTE = "Greater than or equal to this value."
_LT = "Less than this value."
_LTE = "Less than or equal to this value."
_IS_NULL = "true: the value is missing. false: the value is present."


def _operator(description: str) -> Any:
    return strawberry.field(default=_UNSET, description=description)


@strawberry.input(description="A filter on an id. A value must match all given operators.")
class IdFilter:
    """A value must match all given operators."""

    eq: strawberry.ID | None = _operator(_EQ)
    ne: strawberry.ID | None = _operator(_NE)
    in_: list[strawberry.ID] | None = strawberry.field(default=_UNSET, description=_IN, name="in")
    not_in: list[strawberry.ID] | None = _operator(_NOT_IN)
    is_null: bool | None = _operator(_IS_NULL)


@strawberry.input(description="A filter on text. A value must match all given operators.")
class StringFilter:
    """A value must match all given operators."""

    eq: str | None = _operator(_EQ)
    ne: str | None = _operator(_NE)
    in_: list[str] | None = strawberry.field(default=_UNSET, description=_IN, name="in")
    not_in: list[str] | None = _operator(_NOT_IN)
    like: str | None = _operator(_LIKE)
    ilike: str | None = _operator(_ILIKE)
    is_null: bool | None = _operator(_IS_NULL)


@strawberry.input(description="A filter on the status of a run. A run must match all given operators.")
class RunStatusFilter:
    """A value must match all given operators."""

    eq: RunStatus | None = _operator(_EQ)
    ne: RunStatus | None = _operator(_NE)
    in_: list[RunStatus] | None = strawberry.field(default=_UNSET, description=_IN, name="in")
    not_in: list[RunStatus] | None = _operator(_NOT_IN)


@strawberry.input(description="A filter on a time. A value must match all given operators.")
class DateTimeFilter:
    """A value must match all given operators."""

    eq: DateTime | None = _operator(_EQ)
    gt: DateTime | None = _operator("Later than this time.")
    gte: DateTime | None = _operator("At this time or later.")
    lt: DateTime | None = _operator("Earlier than this time.")
    lte: DateTime | None = _operator("At this time or earlier.")
    is_null: bool | None = _operator(_IS_NULL)


@strawberry.input(description="A filter on a number. A value must match all given operators.")
class FloatFilter:
    """A value must match all given operators."""

    eq: float | None = _operator(_EQ)
    ne: float | None = _operator(_NE)
    gt: float | None = _operator(_GT)
    gte: float | None = _operator(_GTE)
    lt: float | None = _operator(_LT)
    lte: float | None = _operator(_LTE)


@strawberry.input(
    description=(
        "A filter on the param or tag with a key. At least one operator is required, and a value must "
        "match all given operators. gt, gte, lt and lte compare the value as a number; other text does not "
        "match."
    )
)
class KeyedFilter:
    """`schema.ports.condition.Predicate` on a param or a tag."""

    key: str = strawberry.field(description="The key of the param or tag.")
    eq: str | None = _operator(_EQ)
    ne: str | None = _operator(_NE)
    in_: list[str] | None = strawberry.field(default=_UNSET, description=_IN, name="in")
    not_in: list[str] | None = _operator(_NOT_IN)
    like: str | None = _operator(_LIKE)
    ilike: str | None = _operator(_ILIKE)
    gt: float | None = _operator(_GT)
    gte: float | None = _operator(_GTE)
    lt: float | None = _operator(_LT)
    lte: float | None = _operator(_LTE)
    is_null: bool | None = _operator("true: the key is missing. false: the key exists.")


@strawberry.input(
    description=(
        "A filter on the last value of the metric with a key. At least one operator is required, and a "
        "value must match all given operators. NaN matches ne and isNull: false only."
    )
)
class MetricFilter:
    """`schema.ports.condition.Predicate` on a metric."""

    key: str = strawberry.field(description="The key of the metric.")
    eq: float | None = _operator(_EQ)
    ne: float | None = _operator(_NE)
    gt: float | None = _operator(_GT)
    gte: float | None = _operator(_GTE)
    lt: float | None = _operator(_LT)
    lte: float | None = _operator(_LTE)
    is_null: bool | None = _operator("true: the metric was not logged. false: it was logged.")


_AND = "All of these conditions match. An empty list always matches."
_OR = "At least one of these conditions matches. An empty list never matches."
_NOT = "This condition does not match."
_PARAM = "All of these filters on params match."
_TAG = "All of these filters on tags match."


@strawberry.input(description="A condition on runs. All given fields must match.")
class RunFilter:
    """The `where` argument for runs."""

    and_: Optional[list["RunFilter"]] = strawberry.field(default=_UNSET, description=_AND, name="and")  # noqa: UP045
    or_: Optional[list["RunFilter"]] = strawberry.field(default=_UNSET, description=_OR, name="or")  # noqa: UP045
    not_: Optional["RunFilter"] = strawberry.field(default=_UNSET, description=_NOT, name="not")
    run_id: IdFilter | None = _operator("The MLflow id of the run.")
    experiment_id: IdFilter | None = _operator("The MLflow id of the run's experiment.")
    parent_run_id: IdFilter | None = _operator(
        "The id of the parent run. isNull: true selects runs without a parent."
    )
    name: StringFilter | None = _operator("The name of the run.")
    user_id: StringFilter | None = _operator("The user who started the run.")
    status: RunStatusFilter | None = _operator("The status of the run.")
    started_at: DateTimeFilter | None = _operator("The start time.")
    ended_at: DateTimeFilter | None = _operator(
        "The end time. isNull: true selects runs that have not ended."
    )
    duration_seconds: FloatFilter | None = _operator(
        "The time from start to end, in seconds. Runs that have not ended do not match."
    )
    param: list[KeyedFilter] | None = _operator(_PARAM)
    tag: list[KeyedFilter] | None = _operator(_TAG)
    metric: list[MetricFilter] | None = _operator("All of these filters on metrics match.")


@strawberry.input(description="A condition on experiments. All given fields must match.")
class ExperimentFilter:
    """The `where` argument for experiments."""

    and_: Optional[list["ExperimentFilter"]] = strawberry.field(default=_UNSET, description=_AND, name="and")  # noqa: UP045
    or_: Optional[list["ExperimentFilter"]] = strawberry.field(default=_UNSET, description=_OR, name="or")  # noqa: UP045
    not_: Optional["ExperimentFilter"] = strawberry.field(default=_UNSET, description=_NOT, name="not")
    experiment_id: IdFilter | None = _operator("The MLflow id of the experiment.")
    name: StringFilter | None = _operator("The name of the experiment.")
    tag: list[KeyedFilter] | None = _operator(_TAG)
    created_at: DateTimeFilter | None = _operator("The time of creation.")
    updated_at: DateTimeFilter | None = _operator(
        "The time of the last change to the experiment itself, not to its runs."
    )


_WHERE = "A condition that the results must match. If filter is given too, they must match both."
RunWhere = Annotated[RunFilter | None, strawberry.argument(description=_WHERE)]
ExperimentWhere = Annotated[ExperimentFilter | None, strawberry.argument(description=_WHERE)]

_MAX_DEPTH = 20
"""The maximum nesting of conditions, because databases and Python evaluate them recursively."""
_MAX_PATTERN_LENGTH = 10_000
"""The maximum characters of a pattern. SQLite rejects 50,000; a param or tag has at most 8,000."""
_KEYED_FIELDS: tuple[KeyKind, ...] = ("param", "tag", "metric")
_OPERATORS: dict[str, Operator] = {
    "eq": "eq", "ne": "ne", "in_": "in", "not_in": "not_in", "like": "like", "ilike": "ilike",
    "gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte", "is_null": "is_null",
}  # fmt: skip


def condition(
    where: RunFilter | ExperimentFilter | None, limit: int, filter_: str | None = None
) -> Condition | None:
    """Return the condition that `where` specifies, or None.

    Raise `BadUserInput` for a filter without an operator and for a pattern that is too long. Raise
    `LimitExceeded` for more than `limit` conditions, including the comparisons of the filter string.
    """
    comparisons = count_comparisons(filter_, limit)
    if where is None:
        return None
    result = AllOf(tuple(_parts(where, 1)))
    if _size(result) + comparisons > limit:
        including = ", including the comparisons of filter" if comparisons else ""
        message = f"where has more than {limit} conditions{including} (GQL_MAX_CONDITIONS)."
        raise LimitExceeded(message)
    return result


def _size(part: Condition) -> int:
    if isinstance(part, Predicate):
        return 1
    if isinstance(part, Not):
        return 1 + _size(part.part)
    return 1 + sum(map(_size, part.parts))


def _parts(where: RunFilter | ExperimentFilter, depth: int) -> Iterator[Condition]:
    if depth > _MAX_DEPTH:
        message = f"where nests and, or and not at most {_MAX_DEPTH} levels deep."
        raise LimitExceeded(message)
    for name, value in _given_fields(where):
        if name == "and_":
            yield AllOf(tuple(AllOf(tuple(_parts(part, depth + 1))) for part in value))
        elif name == "or_":
            yield AnyOf(tuple(AllOf(tuple(_parts(part, depth + 1))) for part in value))
        elif name == "not_":
            yield Not(AllOf(tuple(_parts(value, depth + 1))))
        elif name in _KEYED_FIELDS:
            yield from (predicate for entry in value for predicate in _predicates(name, entry.key, entry))
        else:
            yield from _predicates("attribute", name, value)


def _predicates(by: KeyKind, key: str, entry: Any) -> list[Predicate]:
    predicates = [
        Predicate(by, key, _OPERATORS[name], _plain(value))
        for name, value in _given_fields(entry)
        if name in _OPERATORS
    ]
    if by != "attribute" and not predicates:
        message = f"The filter on {by} {key!r} has no operator. isNull: false matches if it exists."
        raise BadUserInput(message)
    patterns = (predicate.value for predicate in predicates if predicate.operator in {"like", "ilike"})
    if any(len(str(pattern)) > _MAX_PATTERN_LENGTH for pattern in patterns):
        message = f"A pattern of like or ilike may have at most {_MAX_PATTERN_LENGTH:,} characters."
        raise BadUserInput(message)
    return predicates


def _given_fields(entry: Any) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in vars(entry).items() if value is not None and value is not _UNSET)


def _plain(value: Any) -> Any:
    """Return a value without enums and lists, as predicates have them."""
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    return value.value if isinstance(value, Enum) else value
