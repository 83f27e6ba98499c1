"""Strategies for conditions and orders over the records of `condition_evaluator`."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from schema.ports.condition import AllOf, AnyOf, Condition, Not, Predicate
from schema.ports.tracking import Order
from tests.support.stores.condition_evaluator import KEYS, NUMBERS, TEXTS, Record


def _pattern_for(text: str, index: int, wildcard: str) -> str:
    """Return a pattern that matches a text, with a wildcard at an index, or from there to the end."""
    index %= len(text) + 1
    return f"{text[:index]}{wildcard}{text[index + 1 :] if wildcard == '_' else ''}"


_patterns = st.text(st.sampled_from("aAb%_é日'\\\n"), max_size=5) | st.builds(
    _pattern_for, st.sampled_from(TEXTS), st.integers(0, 9), st.sampled_from(["", "_", "%"])
)


_texts = st.sampled_from(TEXTS + NUMBERS) | _patterns


_numbers = st.sampled_from([0.0, 0.5, -1.5, 3.0, 10.0, 0.01, 1e-9, 1e300, -1e300, 2.5])


_times = st.integers(900, 8500)


def _tuples(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=3).map(tuple)


def _text_predicates(
    by: Any, keys: Sequence[str], values: st.SearchStrategy[str]
) -> list[st.SearchStrategy[Predicate]]:
    key = st.sampled_from(keys)
    return [
        st.builds(Predicate, st.just(by), key, st.sampled_from(["eq", "ne"]), values),
        st.builds(Predicate, st.just(by), key, st.sampled_from(["in", "not_in"]), _tuples(values)),
        st.builds(Predicate, st.just(by), key, st.sampled_from(["like", "ilike"]), _patterns),
        st.builds(Predicate, st.just(by), key, st.just("is_null"), st.booleans()),
    ]


def _number_predicates(
    by: Any, keys: Sequence[str], operators: str, values: Any
) -> st.SearchStrategy[Predicate]:
    return st.builds(
        Predicate, st.just(by), st.sampled_from(keys), st.sampled_from(operators.split()), values
    )


def predicates(runs: Sequence[Record]) -> st.SearchStrategy[Predicate]:
    """Return predicates on all attributes and logged values of runs."""
    keys = [*KEYS, *map(str.upper, KEYS), "nothing", "a`b", 'a"b', "tail "]
    ids = st.sampled_from([run.run_id for run in runs]) | st.sampled_from(["nothing", "0" * 32])
    experiments = st.sampled_from([runs[0].experiment_id, runs[1].experiment_id, "0", "007", "x"])
    ordered_ = "gt gte lt lte"
    times = ["started_at", "ended_at"]
    return st.one_of(
        *_text_predicates("param", keys, _texts),
        *_text_predicates("tag", keys, _texts),
        *_text_predicates("attribute", ["name", "user_id"], _texts | st.sampled_from(["me", "you"])),
        *_text_predicates("attribute", ["run_id"], ids),
        *_text_predicates("attribute", ["parent_run_id"], ids),
        *_text_predicates("attribute", ["status"], st.sampled_from(["RUNNING", "FINISHED", "KILLED"]))[:2],
        *_text_predicates("attribute", ["experiment_id"], experiments)[:2],
        _number_predicates("param", keys, ordered_, _numbers),
        _number_predicates("tag", keys, ordered_, _numbers),
        _number_predicates("metric", keys, f"eq ne {ordered_}", _numbers),
        st.builds(Predicate, st.just("metric"), st.sampled_from(keys), st.just("is_null"), st.booleans()),
        _number_predicates("attribute", times, f"eq {ordered_}", _times),
        _number_predicates("attribute", ["duration_seconds"], f"eq ne {ordered_}", _numbers),
        st.builds(Predicate, st.just("attribute"), st.sampled_from(times), st.just("is_null"), st.booleans()),
    )


def conditions(runs: Sequence[Record]) -> st.SearchStrategy[Condition]:
    """Return conditions that combine predicates with and, or and not."""
    return st.recursive(
        predicates(runs),
        lambda parts: (
            st.lists(parts, max_size=3).map(tuple).map(AllOf)
            | st.lists(parts, max_size=3).map(tuple).map(AnyOf)
            | parts.map(Not)
        ),
        max_leaves=6,
    )


def orders() -> st.SearchStrategy[tuple[Order, ...]]:
    """Return orders of up to three keys, of all keys that runs can be ordered by."""
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
