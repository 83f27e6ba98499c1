"""Filter strings split into clauses that help a store and the predicates that this server tests.

A store may lack a part of the syntax or give it another result: before MLflow 3.17, a NaN is 0 on
databases, some databases refuse times, escape by a backslash or ignore the case of keys. This server
therefore tests all comparisons.
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
    """The parts of a filter: the clauses follow from the predicates and reduce what the store returns."""

    clauses: Sequence[str]
    predicates: Sequence[Predicate]


def split_filter(
    comparisons: Sequence[FilterComparison], syntax: FilterSyntax, capabilities: Capabilities
) -> SplitFilter:
    """Split a filter; raise `UnsupportedByStore` for datasets of a store that returns none."""
    if capabilities.parses_filters_here and any(each.by == "dataset" for each in comparisons):
        message = "This store cannot filter runs by their datasets."
        raise UnsupportedByStore(message)
    clauses = [clause for comparison in comparisons for clause in _clauses(comparison, syntax, capabilities)]
    return SplitFilter(clauses, [comparison.predicate for comparison in comparisons])


def _clauses(comparison: FilterComparison, syntax: FilterSyntax, capabilities: Capabilities) -> Iterator[str]:
    clause = filter_clause(comparison.predicate, syntax, capabilities)
    if (
        clause is None
        and not capabilities.parses_filters_here
        and excludes_no_match(comparison, capabilities)
    ):
        clause = comparison.text
    if clause is not None:
        yield clause


def excludes_no_match(comparison: FilterComparison, capabilities: Capabilities) -> bool:
    """Return whether each store that accepts a comparison finds all that matches it, and possibly more."""
    if comparison.operator == "is_null":
        # A database that ignores the case of keys may find a different key.
        return not comparison.value
    if comparison.operator in {"like", "ilike"}:
        # Some databases treat a backslash as an escape, and compare _ with a byte.
        return capabilities.like and not set(str(comparison.value)) & {"\\", "_"}
    if comparison.operator == "in":
        return comparison.by == "dataset" or comparison.key == "name"
    return comparison.key != "experiment_id" and (
        comparison.operator in {"eq", "ne"} if isinstance(comparison.value, str) else _is_time(comparison)
    )


def _is_time(comparison: FilterComparison) -> bool:
    return comparison.by == "attribute" and isinstance(comparison.value, int)
