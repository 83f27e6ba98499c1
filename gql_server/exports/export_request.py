"""Reading what a request for a table asks."""

import re
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from gql_server.exports.table_layouts import TABLES, TableLayout
from schema.engine.times import parse_time
from schema.exports.row_scan import RowSearch
from schema.ports.errors import BadUserInput, NotFound

FORMATS: Final = ("csv", "parquet", "arrow")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False, "": False}


@dataclass(frozen=True, slots=True)
class TableRequest:
    """A table, the format to give it in, and which rows of it."""

    table: str
    format: str
    rows: RowSearch
    wide: bool

    @property
    def layout(self) -> TableLayout:
        """Return the table's columns and rows."""
        return TABLES[self.table]


def read_table_request(name: str, parameters: QueryParams) -> TableRequest:
    """Return what is asked by the last part of the path, `runs.csv` say, and the query's parameters.

    Raises NotFound for another table or format, BadUserInput for a parameter that the table does not take.
    """
    table, _, format_ = name.rpartition(".")
    if table not in TABLES or format_ not in FORMATS:
        message = f"There are {', '.join(TABLES)}, each as .{', .'.join(FORMATS)}: /tables/runs.csv, say."
        raise NotFound(message)
    takes = TABLES[table].takes
    for parameter in parameters:
        if parameter not in takes:
            message = f"{table} takes {', '.join(sorted(takes))}, and nothing by the name {parameter!r}."
            raise BadUserInput(message)
        if len(parameters.getlist(parameter)) > 1:
            message = f"{parameter} may be given once."
            raise BadUserInput(message)
    rows = RowSearch(
        experiment=parameters.get("experiment"),
        filter=parameters.get("filter"),
        key=parameters.get("key"),
        since=_time(parameters.get("since")),
    )
    return TableRequest(table, format_, rows, _truth(parameters.get("wide", "")))


def _time(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return parse_time(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
    except ValueError:
        message = "since must be a date or an RFC 3339 time with an offset, such as 2026-11-23T05:15:00Z."
        raise BadUserInput(message) from None


def _truth(text: str) -> bool:
    truth = _TRUTHS.get(text.lower())
    if truth is None:
        message = "wide must be true or false."
        raise BadUserInput(message)
    return truth
