"""Comparisons of filter strings in SQL with values that the port's conditions do not have."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement

from gql_server.stores.filters.comparison import FilterComparison
from gql_server.stores.filters.rules import FilterRules
from gql_server.stores.sql.comparisons import compare_text
from gql_server.stores.sql.dialects.dialect import Dialect
from gql_server.stores.text_validation import is_storable
from schema.ports.errors import BadUserInput


def parse_filter(rules: FilterRules, filter_: str | None) -> Sequence[FilterComparison]:
    """Return the comparisons of a filter; raise `BadUserInput` for one that no database can store, too."""
    if filter_ is not None and not is_storable(filter_):
        message = "filter contains a character that a database cannot store."
        raise BadUserInput(message)
    return rules.parse(filter_)


def compare(
    dialect: Dialect, column: ColumnElement[Any], comparison: FilterComparison
) -> ColumnElement[bool]:
    """Return the comparison of a text with the value of a filter; null for a null."""
    return compare_text(dialect, column, comparison.operator, comparison.value)
