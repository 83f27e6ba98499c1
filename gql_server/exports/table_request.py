"""The parameters of a request for a table."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from gql_server.exports.export_format import COMPRESSIONS, FORMATS
from gql_server.exports.table_layouts import TABLES, TableLayout
from gql_server.exports.wide_runs import split_data_column
from schema.engine.times import parse_time
from schema.exports.row_scan import RowSearch
from schema.ports.errors import BadUserInput, NotFound

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False, "": False}


@dataclass(frozen=True, slots=True)
class TableRequest:
    """A table, the format of the response and the selection of rows."""

    table: str
    format: str
    search: RowSearch
    wide: bool
    columns: tuple[str, ...] | None
    """The names of the columns, in their order; None for all."""
    compression: str
    """The compression of a Parquet file; the other formats ignore it."""

    @property
    def layout(self) -> TableLayout:
        """Return the layout of the table."""
        return TABLES[self.table]


def parse_table_request(name: str, parameters: QueryParams) -> TableRequest:
    """Return the request for the last segment of the path, such as `runs.csv`, and the query parameters.

    Raises `NotFound` for an unknown table or format, and `BadUserInput` for a parameter that the table does
    not have.
    """
    table, _, format_ = name.rpartition(".")
    if table not in TABLES or format_ not in FORMATS:
        formats = ", .".join(FORMATS)
        message = f"The tables are {', '.join(TABLES)}, each as .{formats}; for example /tables/runs.csv."
        raise NotFound(message)
    allowed = TABLES[table].parameters | ({"compression"} if format_ == "parquet" else frozenset())
    for parameter in parameters:
        if parameter not in allowed:
            message = f"The parameters of {name} are {', '.join(sorted(allowed))}; {parameter!r} is unknown."
            raise BadUserInput(message)
        if len(parameters.getlist(parameter)) > 1:
            message = f"{parameter} may be given once."
            raise BadUserInput(message)
    search = RowSearch(
        experiment=parameters.get("experiment"),
        filter=parameters.get("filter"),
        key=parameters.get("key"),
        since=_parse_since(parameters.get("since")),
    )
    wide = _parse_wide(parameters.get("wide", ""))
    columns = _parse_columns(parameters.get("columns"), TABLES[table], wide=wide)
    return TableRequest(
        table, format_, search, wide, columns, _parse_compression(parameters.get("compression"))
    )


def _parse_compression(text: str | None) -> str:
    compression = text or COMPRESSIONS[0]
    if compression not in COMPRESSIONS:
        message = f"compression must be {', '.join(COMPRESSIONS[:-1])} or {COMPRESSIONS[-1]}."
        raise BadUserInput(message)
    return compression


def _parse_columns(text: str | None, layout: TableLayout, *, wide: bool) -> tuple[str, ...] | None:
    """Return the names in a line of CSV, so that a name with a comma can be quoted."""
    if not text:
        return None
    try:
        (names,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError):
        message = "columns must be one line of names with commas between them, quoted as in CSV."
        raise BadUserInput(message) from None
    if len(set(names)) < len(names):
        message = "columns must not have a name twice."
        raise BadUserInput(message)
    known = [name for name, _ in layout.columns]
    for name in names:
        if name not in known and not (wide and split_data_column(name)):
            raise BadUserInput(_unknown_column(name, known, layout, wide=wide))
    return tuple(names)


def _unknown_column(name: str, known: Sequence[str], layout: TableLayout, *, wide: bool) -> str:
    message = f"columns: {name!r} is unknown. The columns are {', '.join(known)}"
    if wide:
        return f"{message}, metrics.<key>, params.<key> and tags.<key>; a * as the key stands for all keys."
    if "wide" in layout.parameters and split_data_column(name):
        return f"{message}. With wide=true there are columns for metrics, params and tags, too."
    return f"{message}."


def _parse_since(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return parse_time(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
    except ValueError:
        message = "since must be a date or an RFC 3339 time with an offset, such as 2026-11-23T05:15:00Z."
        raise BadUserInput(message) from None


def _parse_wide(text: str) -> bool:
    wide = _BOOLEANS.get(text.lower())
    if wide is None:
        message = "wide must be true or false."
        raise BadUserInput(message)
    return wide
