"""The last values of metrics, of many runs in one statement."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import select

from gql_server.stores.sql.keyed_table import KeyedTable
from gql_server.stores.sql.metric_values import value_of
from gql_server.stores.sql.prepared_statement import PreparedStatement
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.spans import aligned, spans_of
from gql_server.stores.sql.tables import LATEST_METRICS, timestamp_of
from schema.ports.non_finite import split_stored
from schema.ports.table import Many, Table

_COLUMNS: Final = ("run_id", "key", "step", "timestamp", "value")


def read_metrics(session: Session, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
    """Return the metrics of each run, sorted by key: all of them, or those with these keys."""
    rows = _rows(session, KeyedTable(LATEST_METRICS), run_ids, keys)
    columns = dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=False)) or {
        name: [] for name in _COLUMNS
    }
    columns["value"], columns["non_finite"] = split_stored(columns["value"])
    return Many(Table(len(rows), columns), aligned(run_ids, spans_of(columns["run_id"])))


def _rows(
    session: Session, keyed: KeyedTable, run_ids: Sequence[str], keys: Collection[str] | None
) -> list[Row]:
    rows: list[Row] = []
    for values in keyed.batches(session, run_ids, keys):
        rows += session.rows(_statement(session, keyed, has_keys="keys" in values), values)
    if keys is not None:
        # A collation that ignores case matches more keys than were requested.
        rows = [row for row in rows if row[1] in keys]
    # The database sorts by run alone, with the index; sorting nearly sorted rows here costs almost nothing.
    rows.sort()
    return rows


def _statement(session: Session, keyed: KeyedTable, *, has_keys: bool) -> PreparedStatement:
    def prepare() -> PreparedStatement:
        metrics = keyed.table.c
        columns = (
            metrics.run_uuid,
            metrics.key,
            metrics.step,
            timestamp_of(keyed.table),
            value_of(keyed.table),
        )
        conditions = keyed.named_conditions(session, has_keys=has_keys)
        return session.prepare(select(*columns).where(*conditions).order_by(metrics.run_uuid))

    return session.keep(("metrics", has_keys, session.workspace), prepare)
