"""Comparison of a database's column types with those that statements expect.

Types differ between databases and revisions without an effect on what is read, as VARCHAR(250) and TEXT do.
Statements need only that a number is a number and that a text is a text.
"""

from typing import Any

from sqlalchemy import Boolean, Enum, Float, Integer, Numeric, String
from sqlalchemy.types import TypeEngine

_FAMILIES: tuple[tuple[str, tuple[type[TypeEngine[Any]], ...]], ...] = (
    # A whole number as well: MySQL has no other type for a truth value, and SQLite's is one.
    ("a whole number", (Integer, Boolean)),
    ("a number", (Float, Numeric)),
    ("a text", (String, Enum)),
)


def family_of(type_: TypeEngine[Any]) -> str:
    """Return what values of a type are, as a noun for a message."""
    return next((name for name, types in _FAMILIES if isinstance(type_, types)), "another type")


def is_compatible(actual: TypeEngine[Any], expected: TypeEngine[Any]) -> bool:
    """Return whether statements that expect one type read the same values from a column of another."""
    return family_of(actual) == family_of(expected)
