"""MySQL and MariaDB."""

import re
import sys
from contextlib import closing
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Float,
    String,
    and_,
    case,
    cast,
    collate,
    func,
    literal_column,
)
from sqlalchemy.dialects.mysql import BINARY
from typing_extensions import override

from gql_server.stores.sql.dialects.case_insensitive import CaseInsensitiveDialect
from schema.ports.condition import NUMBER


class MysqlDialect(CaseInsensitiveDialect):
    """MySQL and MariaDB.

    There is no `json_array`: MariaDB truncates arrays at group_concat_max_len without an error.
    """

    name = "mysql"
    max_listed = 30_000  # A statement takes 65,535 parameters.
    like_special = re.compile(r"\|")

    @override
    def case_sensitive(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        return collate(func.convert(text.op("USING")(literal_column("utf8mb4")), type_=String), "utf8mb4_bin")

    @override
    def as_number(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        # \\z, because a $ also matches before a newline at the end. A number that is too large becomes the
        # largest float.
        number = text.op("+", return_type=Float)(literal_column("0e0"))
        return case((and_(text.regexp_match(f"^{NUMBER}\\z"), func.abs(number) < sys.float_info.max), number))

    @override
    def by_code_point(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        return cast(func.convert(text.op("USING")(literal_column("utf8mb4"))), BINARY)

    @override
    def make_read_only(self, driver_connection: Any, timeout: float) -> None:
        # By default a statement waits a day, or a year, for a table that a migration has locked.
        seconds = max(1, int(timeout * 0.8))
        with closing(driver_connection.cursor()) as cursor:
            cursor.execute(f"SET SESSION lock_wait_timeout = {seconds}")
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    @override
    def interrupt(self, engine: Engine, driver_connection: Any) -> None:
        if hasattr(driver_connection, "thread_id"):  # PyMySQL and mysqlclient have it.
            with engine.connect() as other:
                other.exec_driver_sql(f"KILL QUERY {int(driver_connection.thread_id())}")
