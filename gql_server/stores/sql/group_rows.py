"""Rows grouped by their parents."""

from collections.abc import Hashable, Sequence

from gql_server.stores.sql.pages import as_table
from gql_server.stores.sql.session import Row
from gql_server.stores.sql.spans import aligned, spans_of
from schema.ports.table import Many


def grouped_rows(parents: Sequence[Hashable], names: Sequence[str], rows: Sequence[Row]) -> Many:
    """Return the rows of each parent; a row begins with its parent, and a parent's rows are consecutive."""
    spans = spans_of([row[0] for row in rows])
    return Many(as_table(names, [row[1:] for row in rows]), aligned(parents, spans))


def grouped_key_values(parents: Sequence[Hashable], rows: Sequence[Row]) -> Many:
    """Return the keys and values of each parent, sorted by key; a null value becomes empty text."""
    filled = sorted((parent, key, value or "") for parent, key, value in rows)
    return grouped_rows(parents, ("key", "value"), filled)
