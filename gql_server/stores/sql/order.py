"""Orders of the port as SQL, and the positions in them: a row's place in each key, and its id."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Table, and_, literal, or_

from gql_server.stores.sql.dialect import same_text, storable
from gql_server.stores.sql.metric_values import value_of
from gql_server.stores.sql.sort_keys import Joined, MetricSortKey, SortKey, TextSortKey
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
from schema.ports.errors import BadUserInput
from schema.ports.tracking import Order, Position

_TABLES: Final[dict[str, Table]] = {"metric": LATEST_METRICS, "param": PARAMS, "tag": TAGS}
_LATEST: Final = Order("attribute", "started_at", descending=True)
_RUN_ATTRIBUTES: Final = {**RUN_COLUMNS, "duration": RUN_DURATION}


@dataclass(frozen=True, slots=True)
class SqlOrder:
    """The keys of an order, and the id that decides between rows that are level in all of them."""

    keys: tuple[SortKey, ...]
    id: ColumnElement[Any]
    by_start: bool = False
    """Whether this is the order of runs that an index can serve."""

    def join(self, table: FromClause) -> FromClause:
        """Join what the keys need to a table."""
        for key in self.keys:
            if key.joined is not None:
                table = table.outerjoin(*key.joined)
        return table

    def columns(self) -> list[ColumnElement[Any]]:
        """Return what `position` needs of a row."""
        return [*(column for key in self.keys for column in key.columns), self.id]

    def sorting(self) -> list[ColumnElement[Any]]:
        """Return what to order by."""
        return [*(part for key in self.keys for part in key.sorting()), self.id.asc()]

    def position(self, values: Sequence[Any]) -> Position:
        """Return the position just behind a row, of its values of `columns`."""
        rest = iter(values)
        places = [key.place([next(rest) for _ in key.columns]) for key in self.keys]
        return [*places, next(rest)]

    def behind(self, position: Position) -> ColumnElement[bool]:
        """Return the condition that a row comes behind a position; BadUserInput where it is none."""
        *places, id_ = position or [None]
        keys = (*self.keys, SortKey("", self.id))
        if id_ is None or len(position) != len(keys):
            raise BadUserInput(_NO_POSITION)
        if not all(key.is_place(place) for key, place in zip(keys, position, strict=True)):
            raise BadUserInput(_NO_POSITION)
        return or_(*self._behind(places, id_))

    def _behind(self, places: Sequence[Any], id_: Any) -> Iterator[ColumnElement[bool]]:
        level: list[ColumnElement[bool]] = []
        for key, place in zip(self.keys, places, strict=True):
            yield and_(*level, key.behind(place))
            level.append(key.level(place))
        yield and_(*level, self.id > literal(id_, self.id.type))


def run_ordering(dialect: str, order: Sequence[Order]) -> SqlOrder:
    """Return an order of runs; MLflow's own, the latest start first, where none is given."""
    if not order or list(order) == [_LATEST]:
        # As it is in the table, for an index to serve: a start of 0, for none, comes last so, too.
        return SqlOrder(
            (SortKey(dialect, RUNS.c.start_time, descending=True),), RUNS.c.run_uuid, by_start=True
        )
    return SqlOrder(tuple(_run_key(dialect, entry) for entry in order), RUNS.c.run_uuid)


def experiment_ordering(dialect: str, order: Sequence[Order]) -> SqlOrder:
    """Return an order of experiments; MLflow's own, the latest creation first, where none is given."""
    keys = [_attribute(dialect, EXPERIMENT_COLUMNS, entry) for entry in order]
    default = SortKey(dialect, EXPERIMENTS.c.creation_time, descending=True)
    return SqlOrder(tuple(keys) or (default,), EXPERIMENTS.c.experiment_id)


def _run_key(dialect: str, order: Order) -> SortKey:
    if order.by == "attribute":
        return _attribute(dialect, _RUN_ATTRIBUTES, order)
    if not storable(order.key):
        message = f"The {order.by} to order by has a key that a database cannot hold."
        raise BadUserInput(message)
    logged = _TABLES[order.by].alias()
    joined: Joined = (
        logged,
        and_(logged.c.run_uuid == RUNS.c.run_uuid, same_text(dialect, logged.c.key, order.key)),
    )
    if order.by == "metric":
        return MetricSortKey(dialect, value_of(logged), order.descending, joined)
    return TextSortKey(dialect, logged.c.value, order.descending, joined)


def _attribute(dialect: str, columns: dict[str, ColumnElement[Any]], order: Order) -> SortKey:
    value = columns.get(order.key) if order.by == "attribute" else None
    if value is None:
        message = f"There is no ordering by the {order.by} {order.key!r} here."
        raise BadUserInput(message)
    return SortKey(dialect, value, order.descending)


_NO_POSITION: Final = "after is not a cursor of this connection."
