"""PostgreSQL."""

from collections.abc import Collection, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Numeric,
    Text,
    any_,
    bindparam,
    case,
    cast,
    collate,
    func,
    literal,
)
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION
from typing_extensions import override

from gql_server.stores.sql.dialects.case_sensitive import CaseSensitiveDialect
from schema.ports.condition import NUMBER


class PostgresqlDialect(CaseSensitiveDialect):
    """PostgreSQL, through psycopg2 or psycopg."""

    name = "postgresql"
    like_escape = ""  # Without it, a backslash escapes.
    snapshot_statement = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    builds_json = True
    has_list_parameter = True
    aggregates_json = True
    unnests_arrays = True

    @override
    def one_of(self, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
        return column == any_(literal(list(values), ARRAY(column.type)))

    @override
    def one_of_named(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        return column == any_(bindparam(name, None, ARRAY(column.type)))

    @override
    def lowercase(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.translate(text, ascii_uppercase, ascii_lowercase)

    @override
    def as_number(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        # A cast raises for a number out of a double's range; numeric takes all that NUMBER matches.
        size = func.abs(cast(text, Numeric))
        finite = size < cast("1.7976931348623158e308", Numeric)
        number = case((size < cast("2.5e-324", Numeric), 0.0), (finite, cast(text, DOUBLE_PRECISION)))
        return case((text.regexp_match(f"^{NUMBER}$"), number))

    @override
    def by_code_point(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        return collate(text, "C")

    @override
    def json_array(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        return cast(func.json_agg(text), Text)

    @override
    def make_read_only(self, driver_connection: Any, timeout: float) -> None:
        # psycopg and psycopg2 send it with BEGIN, without a round trip of its own.
        for name in ("read_only", "readonly"):
            if hasattr(driver_connection, name):
                setattr(driver_connection, name, True)
                return

    @override
    def setup_statements(self, timeout: float) -> Sequence[str]:
        # This server interrupts statements that take too long; the limit in the database is for when this
        # server has stopped. Compiling a statement takes 150 ms, longer than any of these runs; with 100,000
        # runs Postgres would compile. A lock is reported before the call times out.
        limits = {"statement_timeout": int(timeout * 1000), "lock_timeout": int(timeout * 800), "jit": "off"}
        return ("; ".join(f"SET LOCAL {name} = {value}" for name, value in limits.items()),)

    @override
    def interrupt(self, engine: Engine, driver_connection: Any) -> None:
        if hasattr(driver_connection, "cancel"):  # psycopg2 and psycopg have it.
            driver_connection.cancel()
