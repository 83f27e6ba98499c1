"""Filter strings split into what a store runs by itself and what this server tests.

A store may lack a part of the syntax or give it another result: before MLflow 3.17, a NaN is 0 on
databases, and some databases refuse times. What each version runs alike is left to the store.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gql_server.stores.filters.comparison import FilterComparison
from gql_server.stores.pushdown.capabilities import Capabilities
from gql_server.stores.pushdown.filter_pushdown import FilterSyntax, filter_clause
from schema.ports.condition import Predicate
from schema.ports.errors import UnsupportedByStore

_SIMPLE_OPERATORS = {"eq", "ne", "like", "ilike"}


@dataclass(frozen=True, slots=True)
class SplitFilter:
    """The parts of a filter.

    `store_clauses` are left to the store. The predicates are tested here. `helpful_clauses` follow from them,
    and reduce what the store returns.
    """

    store_clauses: Sequence[str] = ()
    helpful_clauses: Sequence[str] = ()
    predicates: Sequence[Predicate] = ()


def split_filter(
    comparisons: Sequence[FilterComparison], syntax: FilterSyntax, capabilities: Capabilities
) -> SplitFilter:
    """Split a filter; raise `UnsupportedByStore` for datasets if this server must test all comparisons."""
    store_clauses = []
    tested = []
    for comparison in comparisons:
        if capabilities.parses_filters_here or not _is_run_alike(comparison):
            tested.append(comparison)
        else:
            store_clauses.append(comparison.text)
    predicates = [_predicate(comparison, syntax) for comparison in tested]
    helpful = [
        clause
        for comparison, predicate in zip(tested, predicates, strict=True)
        for clause in _helpful_clauses(comparison, predicate, syntax, capabilities)
    ]
    return SplitFilter(store_clauses, helpful, predicates)


def _is_run_alike(comparison: FilterComparison) -> bool:
    """Return whether each version of MLflow runs a comparison with the same result, or only a store can."""
    is_text = comparison.by in {"param", "tag"} or (
        comparison.by == "attribute" and isinstance(comparison.value, str)
    )
    is_simple = comparison.operator in _SIMPLE_OPERATORS and comparison.key != "experiment_id"
    return comparison.by == "dataset" or (is_text and is_simple)


def _predicate(comparison: FilterComparison, syntax: FilterSyntax) -> Predicate:
    if comparison.by == "dataset":
        message = "This store cannot filter runs by their datasets."
        raise UnsupportedByStore(message)
    key = syntax.port_name(comparison.key) if comparison.by == "attribute" else comparison.key
    return Predicate(comparison.by, key, comparison.operator, comparison.value)


def _helpful_clauses(
    comparison: FilterComparison, predicate: Predicate, syntax: FilterSyntax, capabilities: Capabilities
) -> Iterator[str]:
    is_null_test = comparison.operator == "is_null"
    is_time = comparison.by == "attribute" and isinstance(comparison.value, int)
    clause = filter_clause(predicate, syntax, capabilities)
    if not capabilities.parses_filters_here and (is_null_test or (is_time and clause is None)):
        # Every version that accepts it gives it the same result.
        yield comparison.text
    elif clause is not None:
        yield clause
