"""How a search is split between a store and this server."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from gql_server.stores.pushdown.capabilities import Capabilities
from gql_server.stores.pushdown.filter_parser import check_filter, read_filter
from gql_server.stores.pushdown.filter_pushdown import OF_EXPERIMENTS, OF_RUNS, Language, clause
from gql_server.stores.pushdown.order_pushdown import experiment_order, run_order
from schema.ports.condition import AllOf, AnyOf, Condition, Not, Predicate
from schema.ports.errors import BadUserInput
from schema.ports.tracking import Search

_Clauses: TypeAlias = dict[str, None]
"""Clauses that all hold, each once, in the order in which they were asked for."""
_LONGEST = 20_000
"""Characters of a filter that is pushed down; MLflow's parser takes seconds for a hundred times that."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a store is asked for, and what is left to do here.

    `filter` finds all that matches, and maybe more; `where` is then tested here. `narrowing` is the part
    of it that this server added to the client's `own`. `order_by` is None where the order is made here.
    """

    narrowing: str
    own: str
    where: Condition | None
    order_by: Sequence[str] | None

    @property
    def filter(self) -> str:
        """Return the filter string; the client's comes last, since it may end with a comment."""
        return " AND ".join(filter(None, (self.narrowing, self.own)))


def plan_runs(search: Search, store: Capabilities) -> Plan:
    """Split a search for runs."""
    return _plan(search, OF_RUNS, store, run_order(search.order, store))


def plan_experiments(search: Search, store: Capabilities) -> Plan:
    """Split a search for experiments."""
    # Their times are numbers to every store.
    store = replace(store, quoted_numbers=False)
    return _plan(search, OF_EXPERIMENTS, store, experiment_order(search.order, store))


def _plan(search: Search, language: Language, store: Capabilities, order_by: Sequence[str] | None) -> Plan:
    own, where = search.filter or "", search.where
    if "\x00" in own:
        message = "filter must not hold a NUL character."
        raise BadUserInput(message)
    if own and store.reads_filters:
        asked = read_filter(own, language)
        own, where = "", asked if where is None else AllOf((asked, where))
    elif own:
        check_filter(own, language, whole_times=store.whole_times)
    implied = _implied(where, lambda test: clause(test, language, store)) if where else {}
    return Plan(_joined(implied), own, where, order_by)


def _joined(clauses: _Clauses) -> str:
    kept: list[str] = []
    for text in clauses:
        if sum(map(len, kept)) + len(text) <= _LONGEST:
            kept.append(text)
    return " AND ".join(kept)


def _implied(condition: Condition, clause_of: Callable[[Predicate], str | None]) -> _Clauses:
    """Return clauses that hold wherever the condition does."""
    if isinstance(condition, Predicate):
        text = clause_of(condition)
        return {} if text is None else {text: None}
    if isinstance(condition, Not):
        inner = _without(condition.part)
        return {} if inner is None else _implied(inner, clause_of)
    parts = [_implied(part, clause_of) for part in condition.parts]
    if isinstance(condition, AllOf):
        return dict.fromkeys(text for part in parts for text in part)
    # Of alternatives, what all have in common.
    return dict.fromkeys(text for text in (parts[0] if parts else {}) if all(text in part for part in parts))


def _without(part: Condition) -> Condition | None:
    """Return what it means that a part does not hold, where that can be said without `Not`."""
    if isinstance(part, Not):
        return part.part
    if isinstance(part, AllOf):
        return AnyOf(tuple(map(Not, part.parts)))
    if isinstance(part, AnyOf):
        return AllOf(tuple(map(Not, part.parts)))
    # Of other tests the contrary is not another test: what has no value fails both.
    return Predicate(part.by, part.key, "is_null", not part.value) if part.operator == "is_null" else None
