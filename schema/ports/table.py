"""Answers as columns: what the port returns and what the graph completes, a level at a time.

A thousand runs are not a thousand objects here but one `Table` of equally long columns. Where one
row has children, the children of all rows stand in one table too, and `Many` or `One` says which of
them belong to which parent (`Lists`, where the children are leaves). graphql-core wants an object at
a time; `Row` and `Rows` are the views that it gets.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """`size` rows as columns, by Python name; the columns are never changed once they are here.

    A column is a sequence of `size` leaves, or a `Many`, `Lists` or `One` with `size` parents.
    `type_name` is the GraphQL type of the rows where the field's own type is an interface and cannot tell.
    """

    size: int
    columns: Mapping[str, "Column"]
    type_name: str | None = None

    def __getitem__(self, name: str) -> Any:
        """Return the column, or raise KeyError: it was not asked of the store."""
        return self.columns[name]


@dataclass(frozen=True, slots=True, eq=False)
class Many:
    """For each parent a list of objects: the rows `start:stop` of one table."""

    rows: Table
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """For each parent a list of leaves: the items `start:stop` of one sequence."""

    items: Sequence[Any]
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True, eq=False)
class One:
    """For each parent one row of a table, or none; parents may share a row."""

    rows: Table
    index: Sequence[int | None]


Column: TypeAlias = Sequence[Any] | Many | Lists | One


class Row:
    """One row of a table as an object whose attributes are the table's columns."""

    __slots__ = ("_index", "_table")

    def __init__(self, table: Table, index: int) -> None:
        self._table = table
        self._index = index

    def __getattr__(self, name: str) -> Any:
        """Return this row's value of the column."""
        try:
            column = self._table.columns[name]
        except KeyError:
            raise AttributeError(name) from None
        return pick(column, self._index)


def table_of(row: Row) -> Table:
    """Return the table that a row stands in; a function, for a row's attributes are its columns."""
    return row._table  # noqa: SLF001


def index_of(row: Row) -> int:
    """Return where in its table a row stands."""
    return row._index  # noqa: SLF001


class Rows(Sequence[Row]):
    """Consecutive rows of a table: the list that graphql-core is given."""

    __slots__ = ("span", "table")

    def __init__(self, table: Table, span: Span) -> None:
        self.table = table
        self.span = span

    def __len__(self) -> int:
        start, stop = self.span
        return stop - start

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        """Return one row, or the rows of a slice."""
        places = range(*self.span)[index]
        if isinstance(places, range):
            return [Row(self.table, place) for place in places]
        return Row(self.table, places)

    def __iter__(self) -> Iterator[Row]:
        return (Row(self.table, place) for place in range(*self.span))


def pick(column: Column, index: int) -> Any:
    """Return what one parent has in a column: a leaf, a `Row` or None, a list of leaves or `Rows`."""
    if isinstance(column, Many):
        return Rows(column.rows, column.spans[index])
    if isinstance(column, Lists):
        start, stop = column.spans[index]
        return column.items[start:stop]
    if isinstance(column, One):
        place = column.index[index]
        return None if place is None else Row(column.rows, place)
    return column[index]


def whole(table: Table) -> Many:
    """Return all rows of a table as the list of a single parent."""
    return Many(table, [(0, table.size)])


def single(table: Table) -> One:
    """Return the only row of a table as the object of a single parent; None where there is no row."""
    return One(table, [0 if table.size else None])


async def shared(keys: Sequence[str | None], look_up: Callable[[list[str]], Awaitable[One]]) -> One:
    """Return each parent's row by its key; each key is looked up once, None is no row."""
    distinct = list(dict.fromkeys(key for key in keys if key is not None))
    if not distinct:
        return One(Table(0, {}), [None] * len(keys))
    found = await look_up(distinct)
    places = dict(zip(distinct, found.index, strict=True))
    return One(found.rows, [None if key is None else places[key] for key in keys])
