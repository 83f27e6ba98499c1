"""The dialects of the databases."""

import pytest
from mlflow.store.db.db_types import DATABASE_ENGINES
from sqlalchemy import String, column
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


@pytest.mark.parametrize(
    ("name", "ignore_case", "sql"),
    [
        ("sqlite", False, "value LIKE 'A_'"),
        ("sqlite", True, "lower(value) LIKE lower('A_')"),
        ("postgresql", False, "value LIKE 'A_'"),
        ("postgresql", True, "value ILIKE 'A_'"),
        ("mysql", False, "value LIKE 'A_' AND CAST(value AS BINARY) LIKE 'A_'"),
        ("mysql", True, "lower(value) LIKE lower('A_')"),
        ("mssql", False, "(value COLLATE Japanese_Bushu_Kakusu_100_CS_AS_KS_WS) LIKE 'A_'"),
        ("mssql", True, "lower((value COLLATE Japanese_Bushu_Kakusu_100_CS_AS_KS_WS)) LIKE lower('A_')"),
    ],
)
def test_like_of_a_filter_string_is_mlflows(name: str, ignore_case: bool, sql: str) -> None:  # noqa: FBT001
    """A pattern of a filter string is compared as MLflow's own store compares it."""
    clause = DIALECTS[name].mlflow_like(column("value", String), "A_", ignore_case=ignore_case)
    assert str(clause.compile(dialect=_COMPILERS[name], compile_kwargs={"literal_binds": True})) == sql
