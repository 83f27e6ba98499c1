"""Orders of the port in SQL, and positions in them: the values of a row's sort keys, and its id."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Table, and_, literal, or_

from gql_server.stores.sql.dialects.dialect import Dialect
from gql_server.stores.sql.metric_values import value_of
from gql_server.stores.sql.sort_keys import Joined, MetricSortKey, SortKey, TextSortKey, can_have
from gql_server.stores.sql.tables import (
    EXPERIMENT_COLUMNS,
    EXPERIMENTS,
    LATEST_METRICS,
    PARAMS,
    RUN_COLUMNS,
    RUN_DURATION,
    RUNS,
    TAGS,
)
from gql_server.stores.text_validation import is_storable
from schema.ports.errors import BadUserInput
from schema.ports.tracking import Order, Position

_TABLES: Final[dict[str, Table]] = {"metric": LATEST_METRICS, "param": PARAMS, "tag": TAGS}
_LATEST: Final = Order("attribute", "started_at", descending=True)
_RUN_ATTRIBUTES: Final = {**RUN_COLUMNS, "duration": RUN_DURATION}
_INVALID_POSITION: Final = "after is not a cursor of this connection."


@dataclass(frozen=True, slots=True)
class SqlOrder:
    """The sort keys of an order, and the id that orders rows with equal keys."""

    keys: tuple[SortKey, ...]
    id: ColumnElement[Any]
    by_start: bool = False
    """Whether this is the order of runs that an index can serve."""

    def join(self, table: FromClause) -> FromClause:
        """Join the tables that the keys need to a table."""
        for key in self.keys:
            if key.joined is not None:
                table = table.outerjoin(*key.joined)
        return table

    def columns(self) -> list[ColumnElement[Any]]:
        """Return the columns that `position` takes the values of."""
        return [*(column for key in self.keys for column in key.columns), self.id]

    @property
    def width(self) -> int:
        """Return the number of `columns`."""
        return sum(len(key.columns) for key in self.keys) + 1

    def order_by(self) -> list[ColumnElement[Any]]:
        """Return the ORDER BY expressions."""
        return [*(part for key in self.keys for part in key.order_by()), self.id.asc()]

    def position(self, values: Sequence[Any]) -> Position:
        """Return the position after a row, from its values of `columns`."""
        rest = iter(values)
        key_values = [key.key_value([next(rest) for _ in key.columns]) for key in self.keys]
        return [*key_values, next(rest)]

    def after(self, position: Position) -> ColumnElement[bool]:
        """Return the condition that a row comes after a position; raise `BadUserInput` for an invalid one."""
        *key_values, id_ = position or [None]
        if id_ is None or len(key_values) != len(self.keys) or not can_have(self.id, id_):
            raise BadUserInput(_INVALID_POSITION)
        if not all(key.is_key_value(value) for key, value in zip(self.keys, key_values, strict=True)):
            raise BadUserInput(_INVALID_POSITION)
        return or_(*self._after(key_values, id_))

    def _after(self, key_values: Sequence[Any], id_: Any) -> Iterator[ColumnElement[bool]]:
        equal: list[ColumnElement[bool]] = []
        for key, value in zip(self.keys, key_values, strict=True):
            yield and_(*equal, key.after(value))
            equal.append(key.equal(value))
        yield and_(*equal, self.id > literal(id_, self.id.type))


def run_order(dialect: Dialect, order: Sequence[Order]) -> SqlOrder:
    """Return an order of runs; without one MLflow's own, the latest start first."""
    if not order or list(order) == [_LATEST]:
        # The unconverted column, so that an index can serve the order: a missing start is stored as 0, which
        # also sorts last.
        latest = SortKey(dialect, RUNS.c.start_time, descending=True)
        return SqlOrder((latest,), RUNS.c.run_uuid, by_start=True)
    return SqlOrder(tuple(_run_key(dialect, entry) for entry in order), RUNS.c.run_uuid)


def experiment_order(dialect: Dialect, order: Sequence[Order]) -> SqlOrder:
    """Return an order of experiments; without one MLflow's own, the latest creation first."""
    keys = [_attribute(dialect, EXPERIMENT_COLUMNS, entry) for entry in order]
    default = SortKey(dialect, EXPERIMENTS.c.creation_time, descending=True)
    return SqlOrder(tuple(keys) or (default,), EXPERIMENTS.c.experiment_id)


def _run_key(dialect: Dialect, order: Order) -> SortKey:
    if order.by == "attribute":
        return _attribute(dialect, _RUN_ATTRIBUTES, order)
    if not is_storable(order.key):
        message = f"The {order.by} to order by has a key that a database cannot store."
        raise BadUserInput(message)
    rows = _TABLES[order.by].alias()
    joined: Joined = (
        rows,
        and_(rows.c.run_uuid == RUNS.c.run_uuid, dialect.same_text(rows.c.key, order.key)),
    )
    if order.by == "metric":
        return MetricSortKey(dialect, value_of(rows), order.descending, joined)
    return TextSortKey(dialect, rows.c.value, order.descending, joined)


def _attribute(dialect: Dialect, columns: dict[str, ColumnElement[Any]], order: Order) -> SortKey:
    value = columns.get(order.key) if order.by == "attribute" else None
    if value is None:
        message = f"Ordering by the {order.by} {order.key!r} is not supported."
        raise BadUserInput(message)
    return SortKey(dialect, value, order.descending)
