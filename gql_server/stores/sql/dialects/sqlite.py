"""SQLite."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Float, String, bindparam, func, literal, select
from typing_extensions import override

from gql_server.stores.sql.dialects.case_sensitive import CaseSensitiveDialect
from schema.ports.condition import parse_number

_INSTRUCTIONS: Final = 2_000
"""Instructions of SQLite between two looks at the time: some 50 us."""
_INSTRUCTIONS_IN_THREADS: Final = 400_000
"""The same in a worker thread, some 10 ms: a thread waits for the interpreter's lock to look at the time."""


class SqliteDialect(CaseSensitiveDialect):
    """SQLite, with a function for numbers that Python computes."""

    name = "sqlite"
    like_escape = None  # By default nothing escapes, and an empty ESCAPE is an error.
    snapshot_statement = "BEGIN"
    setup_lasts = True
    reads_on_event_loop = True
    has_list_parameter = True
    aggregates_json = True
    streams_rows = False  # The driver fetches row by row in any case.

    @override
    def one_of(self, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
        return self._in_json(column, literal(self.list_value(values)))

    @override
    def one_of_named(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        return self._in_json(column, bindparam(name, None, String))

    @override
    def list_value(self, values: Collection[Any]) -> Any:
        return json.dumps(list(values))

    @override
    def lowercase(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.lower(text)  # This folds only the letters of ASCII.

    @override
    def as_number(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.gql_number(text, type_=Float)

    @override
    def by_code_point(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        return text

    @override
    def json_array(self, text: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.json_group_array(text, type_=String)

    @override
    def setup_statements(self, _timeout: float) -> Sequence[str]:
        return ("PRAGMA case_sensitive_like = true",)

    @override
    def lock_wait_statement(self, seconds: float) -> str | None:
        return f"PRAGMA busy_timeout = {int(seconds * 1000)}"

    @override
    def limit_time(
        self, driver_connection: Any, is_over: Callable[[], bool] | None, *, long: bool = False
    ) -> None:
        driver_connection.set_progress_handler(is_over, _INSTRUCTIONS_IN_THREADS if long else _INSTRUCTIONS)

    @override
    def add_functions(self, driver_connection: Any) -> None:
        driver_connection.create_function("gql_number", 1, _number, deterministic=True)

    def _in_json(self, column: ColumnElement[Any], array: ColumnElement[Any]) -> ColumnElement[bool]:
        # SQLite estimates that the list is long, and uses the index of metrics that begins with the run. With
        # an IN list it uses the index that begins with the key, and reads the points of all runs.
        listed = func.json_each(array).table_valued("value")
        return column.in_(select(listed.c.value))

    @override
    def interrupt(self, engine: Engine, driver_connection: Any) -> None:
        driver_connection.interrupt()


def _number(text: Any) -> float | None:
    return parse_number(text) if isinstance(text, str) else None
