"""The codes in an error of a database driver."""

from typing import Any, NamedTuple

_PRIMARY = 0xFF
"""The part of an extended result code of SQLite that is the result code."""


class DriverCodes(NamedTuple):
    """The code of SQLite, the SQLSTATE of PostgreSQL, and the number of MySQL; None for other drivers."""

    sqlite: int | None
    sqlstate: str | None
    number: Any


def codes_of(error: Any) -> DriverCodes:
    """Return the codes of a driver's own error."""
    sqlite = getattr(error, "sqlite_errorcode", None)
    return DriverCodes(
        sqlite=None if sqlite is None else sqlite & _PRIMARY,
        sqlstate=getattr(error, "pgcode", None) or getattr(error, "sqlstate", None),
        number=next(iter(getattr(error, "args", ())), None),
    )
