"""The params, tags and metrics of runs, read together with the runs."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, select

from gql_server.stores.sql.json_lists import json_lists, lists_from_json
from gql_server.stores.sql.key_values import read_key_values
from gql_server.stores.sql.keyed_table import KeyedTable
from gql_server.stores.sql.metrics import read_metrics
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.tables import LATEST_METRICS, PARAMS, RUNS, TAGS
from gql_server.stores.text_validation import is_storable
from schema.ports.columns import keys_of
from schema.ports.table import Many

_TABLES: Final[Mapping[str, Table]] = {"params": PARAMS, "tags": TAGS, "metrics": LATEST_METRICS}


class RelatedLists:
    """The requested lists of runs.

    With `merge`, and where the database can, they are columns of the statement that reads the runs, each with
    the list of a run as JSON. Otherwise each kind is read by a statement of its own, in the same state of the
    database: make an instance before the runs are read.
    """

    def __init__(self, session: Session, columns: Collection[str], *, merge: bool) -> None:
        self._session = session
        self._keys = {kind: keys_of(columns, kind) for kind in _TABLES if kind in columns}
        self._merged = merge and session.dialect.builds_json
        if self._keys and not self._merged:
            session.begin_snapshot()

    @property
    def key(self) -> Hashable:
        """Return what the columns depend on, as a part of the key of a prepared statement."""
        return tuple((kind, keys is None) for kind, keys in self._keys.items()) if self._merged else None

    def columns(self) -> list[ColumnElement[Any]]:
        """Return the columns to select at the end of the statement that reads the runs."""
        if not self._merged:
            return []
        return [self._column(kind, keys) for kind, keys in self._keys.items()]

    def values(self) -> dict[str, Any]:
        """Return the named values of the columns."""
        if not self._merged:
            return {}
        return {
            f"{kind}_keys": self._session.dialect.list_value(sorted(filter(is_storable, keys)))
            for kind, keys in self._keys.items()
            if keys is not None
        }

    def read(self, rows: Sequence[Row], *, id_column: int) -> dict[str, Many]:
        """Return the lists of these runs; `id_column` is the index of their ids in a row."""
        if not self._keys:
            return {}
        run_ids = [row[id_column] for row in rows]
        if not self._merged:
            return {kind: self._read_kind(kind, run_ids, keys) for kind, keys in self._keys.items()}
        first = -len(self._keys)
        return {
            kind: lists_from_json(kind, run_ids, [row[first + index] for row in rows], keys)
            for index, (kind, keys) in enumerate(self._keys.items())
        }

    def _read_kind(self, kind: str, run_ids: Sequence[str], keys: frozenset[str] | None) -> Many:
        if kind == "metrics":
            many = read_metrics(self._session, run_ids, keys)
        else:
            many = read_key_values(self._session, KeyedTable(_TABLES[kind]), run_ids, keys)
        return Many(many.rows, many.spans, keys)

    def _column(self, kind: str, keys: frozenset[str] | None) -> ColumnElement[Any]:
        table = _TABLES[kind]
        conditions = [table.c.run_uuid == RUNS.c.run_uuid]
        if keys is not None:
            conditions.append(self._session.dialect.one_of_named(table.c.key, f"{kind}_keys"))
        return select(json_lists(kind, table)).where(*conditions).correlate(RUNS).scalar_subquery()
