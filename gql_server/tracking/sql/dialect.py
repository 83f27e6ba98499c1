"""What the databases do differently: lists as parameters, text by code point, nulls last, set-up."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ColumnElement,
    String,
    Text,
    and_,
    any_,
    case,
    cast,
    collate,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.mysql import BINARY
from sqlalchemy.dialects.postgresql import ARRAY

_T = TypeVar("_T")

# SQL Server takes 2,100 parameters and MySQL 65,535; the others are given one list in one parameter.
MOST_LISTED: Final = {"mssql": 900, "mysql": 30_000}
"""How long a list may be, where it is not one parameter; a statement has two lists at most."""


def batches(dialect: str, values: Collection[_T]) -> Iterator[list[_T]]:
    """Cut values into lists that one statement of this database can take."""
    size = MOST_LISTED.get(dialect, len(values) or 1)
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch


def among(dialect: str, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Return the condition that a column is one of these values.

    SQLite and Postgres get one parameter however many values there are, so that the statement's text, and
    what was prepared for it, stays the same. SQLite so also estimates the list as long, and takes the
    index of metrics that begins with the run; with a written list it takes the one that begins with the
    key, and reads the points of all runs.
    """
    if dialect == "sqlite":
        listed = func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(select(listed.c.value))
    if dialect == "postgresql":
        return column == any_(literal(list(values), ARRAY(column.type)))
    return column.in_(values)


def same_text(dialect: str, column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """Return the condition that a column holds exactly this text, also where collations fold case."""
    if dialect not in {"mysql", "mssql"}:
        return column == value
    # The plain comparison is there for the index.
    return and_(column == value, by_code_point(dialect, column) == by_code_point(dialect, literal(value)))


def by_code_point(dialect: str, text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a text as something that this database compares by code point, whatever its collation."""
    if dialect == "postgresql":
        return collate(text, "C")
    if dialect == "mysql":
        return cast(func.convert(text.op("USING")(literal_column("utf8mb4"))), BINARY)
    if dialect == "mssql":
        return collate(text, "Latin1_General_100_BIN2")
    return text


def nulls_last(dialect: str, value: ColumnElement[Any], *, descending: bool) -> list[ColumnElement[Any]]:
    """Return what to order by, in a form that an index on the value can serve."""
    if dialect in {"sqlite", "postgresql"}:
        return [(value.desc() if descending else value.asc()).nulls_last()]
    if descending:
        return [value.desc()]  # a null is the least of values here
    return [case((value.is_(None), 1), else_=0), value.asc()]


def packing(dialect: str) -> Callable[[ColumnElement[Any]], ColumnElement[Any]] | None:
    """Return the aggregate that makes one JSON array of a group's texts; None where there is none to trust.

    MariaDB cuts its arrays at group_concat_max_len without an error.
    """
    if dialect == "sqlite":
        return lambda column: func.json_group_array(column, type_=String)
    if dialect == "postgresql":
        return lambda column: cast(func.json_agg(column), Text)
    return None


def preparations(dialect: str, seconds: float) -> Sequence[str]:
    """Return what to say on a connection before it reads: MLflow's meaning of LIKE, and how long to wait."""
    if dialect == "sqlite":
        return (
            "PRAGMA case_sensitive_like = true",
            f"PRAGMA busy_timeout = {int(seconds * 1000)}",
        )
    if dialect == "postgresql":
        # This server interrupts what takes too long. The database's own limit is for when it is gone itself.
        # Compiling a statement takes 150 ms, longer than any of these runs; on 100,000 runs Postgres would.
        return (f"SET LOCAL statement_timeout = {int(seconds * 1000)}; SET LOCAL jit = off",)
    return ()


def snapshot(dialect: str) -> str | None:
    """Return the statement that makes the next statements see one state, where that is not the default."""
    if dialect == "sqlite":
        return "BEGIN"
    if dialect == "postgresql":
        return "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    return None


def storable(text: str) -> bool:
    """Say whether a database can hold a text: Postgres refuses NUL, and none takes lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text
