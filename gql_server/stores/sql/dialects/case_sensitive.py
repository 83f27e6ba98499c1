"""Databases that compare text with respect to case, regardless of the collation."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement
from typing_extensions import override

from gql_server.stores.sql.dialects.dialect import Dialect


class CaseSensitiveDialect(Dialect):
    """SQLite and PostgreSQL: equal texts are the same, and ORDER BY has NULLS LAST."""

    @override
    def same_text(self, column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
        return column == value

    @override
    def one_of_texts(self, column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
        return self.same_text(column, values[0]) if len(values) == 1 else self.one_of(column, values)

    @override
    def nulls_last(self, value: ColumnElement[Any], *, descending: bool) -> list[ColumnElement[Any]]:
        return [(value.desc() if descending else value.asc()).nulls_last()]
