"""The dialects of the databases."""

import pytest
from mlflow.store.db.db_types import DATABASE_ENGINES
from sqlalchemy import column
from sqlalchemy.dialects import mssql, mysql, postgresql, sqlite
from sqlalchemy.engine.interfaces import Dialect

from gql_server.stores.sql.dialects.selection import DIALECTS

_COMPILERS: dict[str, Dialect] = {
    "mssql": mssql.dialect(),
    "mysql": mysql.dialect(),
    "postgresql": postgresql.dialect(),
    "sqlite": sqlite.dialect(),
}


def test_each_database_of_mlflow_has_a_dialect() -> None:
    """MLflow opens no other kind of database than those with a dialect."""
    assert DIALECTS.keys() == set(DATABASE_ENGINES)


@pytest.mark.parametrize("name", DIALECTS)
def test_batches_fit_in_one_list(name: str) -> None:
    """Batches contain all values in their order, and each fits in one list."""
    dialect = DIALECTS[name]
    batches = list(dialect.batches(range(40_000)))
    assert [value for batch in batches for value in batch] == list(range(40_000))
    assert all(map(dialect.fits_in_one_list, batches))
    assert list(dialect.batches([])) == []


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("sqlite", "a[b|c%"), ("postgresql", "a[b|c%"), ("mysql", "a[b||c%"), ("mssql", "a|[b||c%")],
)
def test_like_has_only_two_wildcards(name: str, pattern: str) -> None:
    """Characters of a pattern that a database would treat as special are escaped."""
    clause = DIALECTS[name].like(column("value"), "a[b|c%")
    assert list(clause.compile(dialect=_COMPILERS[name]).params.values()) == [pattern]
