"""Databases whose default collations take letters for equal that differ in case."""

import re
from collections.abc import Collection, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, String, and_, case, false, func, literal, or_
from typing_extensions import override

from gql_server.stores.sql.dialects.dialect import Dialect


class CaseInsensitiveDialect(Dialect):
    """MySQL and SQL Server: texts are compared twice, once for the index and once by code point."""

    like_escape = "|"  # MariaDB takes an empty one for its default, the backslash.
    like_special: ClassVar[re.Pattern[str]]
    """The characters other than % and _ that LIKE does not match literally."""

    @override
    def one_of(self, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
        return column.in_(values)

    @override
    def same_text(self, column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
        # The first comparison is for the index.
        return and_(column == value, self.by_code_point(column) == self.by_code_point(literal(value)))

    @override
    def one_of_texts(self, column: ColumnElement[Any], values: Sequence[str]) -> ColumnElement[bool]:
        if len(values) == 1:
            return self.same_text(column, values[0])
        return or_(false(), *(self.same_text(column, value) for value in values))

    @override
    def like_pattern(self, pattern: str) -> str:
        return self.like_special.sub(r"|\g<0>", pattern)

    @override
    def lowercase(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        for upper, lower in zip(ascii_uppercase, ascii_lowercase, strict=True):
            text = func.replace(text, upper, lower, type_=String)
        return text

    @override
    def nulls_last(self, value: ColumnElement[Any], *, descending: bool) -> list[ColumnElement[Any]]:
        if descending:
            return [value.desc()]  # A null is the smallest value here.
        return [case((value.is_(None), 1), else_=0), value.asc()]
