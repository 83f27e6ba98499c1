"""Filter strings of databases."""

from collections.abc import Sequence

from gql_server.stores.filters.comparison import FilterComparison
from gql_server.stores.filters.rules import FilterRules
from gql_server.stores.text_validation import check_storable


def parse_filter(rules: FilterRules, filter_: str | None) -> Sequence[FilterComparison]:
    """Return the comparisons of a filter; raise `BadUserInput` for one that no database can store, too."""
    check_storable("filter", filter_ or "")
    return rules.parse(filter_)
