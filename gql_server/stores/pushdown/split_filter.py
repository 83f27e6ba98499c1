"""Filter strings split into what a store runs by itself and what this server tests.

A store may lack a part of the syntax or give it another result: before MLflow 3.17, a NaN is 0 on
databases, some databases refuse times, escape by a backslash or ignore the case of keys. This server
therefore tests all comparisons except those of datasets, which it cannot test.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gql_server.stores.filters.comparison import FilterComparison
from gql_server.stores.pushdown.capabilities import Capabilities
from gql_server.stores.pushdown.filter_pushdown import FilterSyntax, filter_clause
from schema.ports.condition import Predicate
from schema.ports.errors import UnsupportedByStore


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
        if comparison.by != "dataset":
            tested.append(comparison)
        elif capabilities.parses_filters_here:
            message = "This store cannot filter runs by their datasets."
            raise UnsupportedByStore(message)
        else:
            store_clauses.append(comparison.text)
    predicates = [comparison.predicate for comparison in tested]
    helpful = [
        clause
        for comparison, predicate in zip(tested, predicates, strict=True)
        for clause in _helpful_clauses(comparison, predicate, syntax, capabilities)
    ]
    return SplitFilter(store_clauses, helpful, predicates)


def _helpful_clauses(
    comparison: FilterComparison, predicate: Predicate, syntax: FilterSyntax, capabilities: Capabilities
) -> Iterator[str]:
    clause = filter_clause(predicate, syntax, capabilities)
    if (
        clause is None
        and not capabilities.parses_filters_here
        and _excludes_no_match(comparison, capabilities)
    ):
        clause = comparison.text
    if clause is not None:
        yield clause


def _excludes_no_match(comparison: FilterComparison, capabilities: Capabilities) -> bool:
    """Return whether each store that accepts a comparison finds all that matches it, and possibly more."""
    if comparison.operator == "is_null":
        # A database that ignores the case of keys may find a different key.
        return not comparison.value
    if comparison.operator in {"like", "ilike"}:
        # Some databases treat a backslash as an escape, and compare _ with a byte.
        return capabilities.like and not set(str(comparison.value)) & {"\\", "_"}
    return comparison.key != "experiment_id" and (
        comparison.operator in {"eq", "ne"} if isinstance(comparison.value, str) else _is_time(comparison)
    )


def _is_time(comparison: FilterComparison) -> bool:
    return comparison.by == "attribute" and isinstance(comparison.value, int)
