"""What the databases do differently: lists as parameters, text by code point, nulls last, set-up."""

import json
import re
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ColumnElement,
    Float,
    Numeric,
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
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION

from schema.ports.condition import NUMBER, parse_number

_T = TypeVar("_T")

# SQL Server takes 2,100 parameters and MySQL 65,535; the others are given one list in one parameter.
MOST_LISTED: Final = {"mssql": 900, "mysql": 30_000}
"""How long a list may be, where it is not one parameter; a statement has two lists at most."""


_LOWER: Final = str.maketrans(ascii_uppercase, ascii_lowercase)

_ESCAPES: Final = {"postgresql": "", "mysql": "|", "mssql": "|"}
"""What LIKE is told to take for an escape: SQLite has none by itself, and takes no empty one; MariaDB reads
an empty one as its default, the backslash."""
_ESCAPED: Final = {"mysql": re.compile(r"\|"), "mssql": re.compile(r"[|\[]")}


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


def like(
    dialect: str, column: ColumnElement[Any], pattern: str, *, folded: bool = False
) -> ColumnElement[bool]:
    """Return the condition that a text matches a pattern in which nothing escapes % and _.

    `folded` takes A to Z for a to z; what is beyond ASCII stays apart, as it does in SQLite.
    """
    value = _case_told(dialect, column)
    if folded:
        value, pattern = _folded(dialect, value), pattern.translate(_LOWER)
    return value.like(_literal(dialect, pattern), escape=_ESCAPES.get(dialect))


def as_number(dialect: str, text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the text as a number by the rules of `condition.parse_number`; null if it is none."""
    if dialect == "sqlite":
        return func.gql_number(text, type_=Float)
    if dialect == "postgresql":
        return _number_in_postgres(text)
    if dialect == "mssql":
        return case((text.op("NOT LIKE")("%[^0-9.eE+-]%"), func.TRY_CONVERT(literal_column("FLOAT"), text)))
    # \\z, for a $ also lets a newline at the end pass; what is too large comes as the largest float.
    number = text.op("+", return_type=Float)(literal_column("0e0"))
    return case((and_(text.regexp_match(f"^{NUMBER}\\z"), func.abs(number) < sys.float_info.max), number))


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


def add_functions(dialect: str, connection: Any) -> None:
    """Give a driver's new connection the functions that `as_number` needs."""
    if dialect == "sqlite":
        connection.create_function("gql_number", 1, _number_of, deterministic=True)


def storable(text: str) -> bool:
    """Say whether a database can hold a text: Postgres refuses NUL, and none takes lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def _literal(dialect: str, pattern: str) -> str:
    """Escape what the database would read as more than a character, but for % and _."""
    escaped = _ESCAPED.get(dialect)
    return pattern if escaped is None else escaped.sub(r"|\g<0>", pattern)


def _number_of(text: Any) -> float | None:
    return parse_number(text) if isinstance(text, str) else None


def _number_in_postgres(text: ColumnElement[Any]) -> ColumnElement[Any]:
    # A cast raises for what is out of a double's range; numeric holds all that NUMBER lets through.
    size = func.abs(cast(text, Numeric))
    finite = size < cast("1.7976931348623158e308", Numeric)
    number = case((size < cast("2.5e-324", Numeric), 0.0), (finite, cast(text, DOUBLE_PRECISION)))
    return case((text.regexp_match(f"^{NUMBER}$"), number))


def _case_told(dialect: str, text: ColumnElement[Any]) -> ColumnElement[Any]:
    if dialect == "mysql":
        return collate(func.convert(text.op("USING")(literal_column("utf8mb4")), type_=String), "utf8mb4_bin")
    # On SQLite and Postgres LIKE tells case whatever the collation.
    return by_code_point(dialect, text) if dialect == "mssql" else text


def _folded(dialect: str, text: ColumnElement[Any]) -> ColumnElement[Any]:
    if dialect == "sqlite":
        return func.lower(text)  # ASCII's
    if dialect == "postgresql":
        return func.translate(text, ascii_uppercase, ascii_lowercase)
    for upper, lower in zip(ascii_uppercase, ascii_lowercase, strict=True):
        text = func.replace(text, upper, lower, type_=String)
    return text
