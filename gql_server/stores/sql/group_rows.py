"""Rows that belong to owners, as a list for each owner asked for."""

from collections.abc import Hashable, Sequence

from gql_server.stores.sql.pages import as_table
from gql_server.stores.sql.session import Row
from gql_server.stores.sql.spans import aligned, spans_of
from schema.ports.table import Many


def children(asked: Sequence[Hashable], names: Sequence[str], rows: Sequence[Row]) -> Many:
    """Return the columns of each owner's rows; a row begins with its owner, and owners stand together."""
    spans = spans_of([row[0] for row in rows])
    return Many(as_table(names, [row[1:] for row in rows]), aligned(asked, spans))


def pairs(asked: Sequence[Hashable], rows: Sequence[Row]) -> Many:
    """Return the key and value of each owner's rows, sorted by key; a null value is an empty one."""
    filled = sorted((owner, key, value or "") for owner, key, value in rows)
    return children(asked, ("key", "value"), filled)
