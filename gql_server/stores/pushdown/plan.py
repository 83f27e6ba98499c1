"""The plan of a search: the part that the store runs, and the part that this server runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from gql_server.stores.pushdown.capabilities import Capabilities
from gql_server.stores.pushdown.filter_pushdown import (
    EXPERIMENT_SYNTAX,
    RUN_SYNTAX,
    FilterSyntax,
    filter_clause,
)
from gql_server.stores.pushdown.order_pushdown import experiment_order_by, run_order_by
from gql_server.stores.pushdown.split_filter import split_filter
from gql_server.stores.text_validation import check_text
from schema.ports.condition import AllOf, AnyOf, Condition, Not, Predicate
from schema.ports.filter_string import MAX_FILTER_LENGTH
from schema.ports.tracking import Search

_Clauses: TypeAlias = dict[str, None]
"""Distinct clauses that are combined with AND, in the order of the condition."""


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How a search is split between a store and this server.

    The store runs `filter`, which matches all results and possibly more rows. It follows from the `residual`
    condition. This server tests the rows against that, so a store may ignore the filter. `order_by` is None
    if this server sorts the rows.
    """

    filter: str
    residual: Condition | None
    order_by: Sequence[str] | None

    def with_clause(self, clause: str | None) -> "SearchPlan":
        """Return the plan with another clause that the store may ignore."""
        return replace(self, filter=" AND ".join(filter(None, (clause, self.filter))))


def plan_runs(search: Search, capabilities: Capabilities) -> SearchPlan:
    """Return the plan of a search for runs."""
    return _plan(search, RUN_SYNTAX, capabilities, run_order_by(search.order, capabilities))


def plan_experiments(search: Search, capabilities: Capabilities) -> SearchPlan:
    """Return the plan of a search for experiments."""
    # Every store accepts times of experiments without quotes.
    capabilities = replace(capabilities, quoted_times=False)
    order_by = experiment_order_by(search.order, capabilities)
    return _plan(search, EXPERIMENT_SYNTAX, capabilities, order_by)


def _plan(
    search: Search, syntax: FilterSyntax, capabilities: Capabilities, order_by: Sequence[str] | None
) -> SearchPlan:
    check_text("filter", search.filter or "")
    split = split_filter(syntax.rules.parse(search.filter), syntax, capabilities)
    implied = (
        _implied_clauses(search.where, lambda predicate: filter_clause(predicate, syntax, capabilities))
        if search.where
        else {}
    )
    parts = (*split.predicates, *([search.where] if search.where else []))
    residual = AllOf(parts) if len(parts) > 1 else parts[0] if parts else None
    return SearchPlan(_joined(dict.fromkeys(split.clauses) | implied), residual, order_by)


def _joined(clauses: _Clauses) -> str:
    selected: list[str] = []
    for text in clauses:
        if sum(map(len, selected)) + len(text) <= MAX_FILTER_LENGTH:
            selected.append(text)
    return " AND ".join(selected)


def _implied_clauses(condition: Condition, clause_of: Callable[[Predicate], str | None]) -> _Clauses:
    """Return clauses that are true for every row for which the condition is true."""
    if isinstance(condition, Predicate):
        text = clause_of(condition)
        return {} if text is None else {text: None}
    if isinstance(condition, Not):
        negated = _negated(condition.part)
        return {} if negated is None else _implied_clauses(negated, clause_of)
    parts = [_implied_clauses(part, clause_of) for part in condition.parts]
    if isinstance(condition, AllOf):
        return dict.fromkeys(text for part in parts for text in part)
    # Only clauses that every alternative implies.
    return dict.fromkeys(text for text in (parts[0] if parts else {}) if all(text in part for part in parts))


def _negated(part: Condition) -> Condition | None:
    """Return the negation of a condition without an outer `Not`; None if it has no such form."""
    if isinstance(part, Not):
        return part.part
    if isinstance(part, AllOf):
        return AnyOf(tuple(map(Not, part.parts)))
    if isinstance(part, AnyOf):
        return AllOf(tuple(map(Not, part.parts)))
    # The negation of other predicates is not a predicate: a row without a value fails both.
    return Predicate(part.by, part.key, "is_null", not part.value) if part.operator == "is_null" else None
