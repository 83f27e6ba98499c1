"""SQL Server."""

import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, case, collate, func, literal_column
from typing_extensions import override

from gql_server.stores.sql.dialects.case_insensitive import CaseInsensitiveDialect


class MssqlDialect(CaseInsensitiveDialect):
    """SQL Server, through pyodbc or pymssql."""

    name = "mssql"
    max_listed = 900  # A statement takes 2,100 parameters.
    like_special = re.compile(r"[|\[]")

    @override
    def case_sensitive(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        return self.by_code_point(text)

    @override
    def as_number(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        return case((text.op("NOT LIKE")("%[^0-9.eE+-]%"), func.TRY_CONVERT(literal_column("FLOAT"), text)))

    @override
    def by_code_point(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        return collate(text, "Latin1_General_100_BIN2")

    @override
    def as_rows(self, fetched: Iterable[Any]) -> list[tuple[Any, ...]]:
        return list(map(tuple, fetched))
