"""Tables: results as columns, which the ports return and the graph completes one level at a time.

A thousand runs are one `Table` of equally long columns, not a thousand objects. If a row has children, the
children of all rows are in one table too: `Many` (lists) or `One` (single rows) maps each parent to its
children, and `Lists` does so for lists of leaves. graphql-core requires one object at a time; `Row` and
`Rows` are its views of a table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, overload

Span: TypeAlias = tuple[int, int]
"""The rows `start:stop` of a table, as for a slice."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Table:
    """`size` rows as columns by Python name. The columns must not change after the table is made.

    A column is a sequence of `size` leaves, or a `Many`, `Lists` or `One` with `size` parents. `type_name` is
    the GraphQL type of the rows; it is required only if the type of their field is an interface.
    """

    size: int
    columns: Mapping[str, "Column"]
    type_name: str | None = None

    def __getitem__(self, name: str) -> Any:
        """Return a column; raise `KeyError` if it was not requested from the store."""
        return self.columns[name]


@dataclass(frozen=True, slots=True, eq=False)
class Many:
    """A list of objects for each parent: the rows `start:stop` of one table.

    `keys` is None unless the rows are only those with these values in the column `key`. A `Many` made from
    another one must have the same keys or fewer.
    """

    rows: Table
    spans: Sequence[Span]
    keys: frozenset[str] | None = None
    _rows_by_key: dict[str, list[int | None]] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def for_single_parent(cls, table: Table) -> "Many":
        """Return all rows of a table as the list of one parent."""
        return cls(table, [(0, table.size)])

    def covers(self, keys: frozenset[str] | None) -> bool:
        """Return whether the rows with these keys are here, if they exist; None stands for all keys."""
        return self.keys is None or (keys is not None and keys <= self.keys)

    def rows_with_key(self, key: str) -> Sequence[int | None]:
        """Return the first row of each parent that has this value in the column `key`, or None.

        The first call indexes all rows, so that a question about each of many keys reads the rows once.
        """
        index = self._rows_by_key
        if not index:
            self._index_rows()
        return index.get(key) or [None] * len(self.spans)

    def _index_rows(self) -> None:
        index, parents = self._rows_by_key, len(self.spans)
        keys: Sequence[str] = self.rows["key"]
        for parent, (start, stop) in enumerate(self.spans):
            # From the last row to the first, which remains if a key repeats.
            for row in range(stop - 1, start - 1, -1):
                rows = index.get(keys[row])
                if rows is None:
                    rows = index[keys[row]] = [None] * parents
                rows[parent] = row


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """A list of leaves for each parent: the items `start:stop` of one sequence."""

    items: Sequence[Any]
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True, eq=False)
class One:
    """One row of a table for each parent, or None. Parents may share a row."""

    rows: Table
    index: Sequence[int | None]

    @classmethod
    def for_single_parent(cls, table: Table) -> "One":
        """Return the first row of a table as the object of one parent; None if the table is empty."""
        return cls(table, [0 if table.size else None])


Column: TypeAlias = Sequence[Any] | Many | Lists | One


class Row:
    """One row of a table as an object whose attributes are the table's columns."""

    __slots__ = ("_index", "_table")

    def __init__(self, table: Table, index: int) -> None:
        self._table = table
        self._index = index

    def __getattr__(self, name: str) -> Any:
        """Return the value of this row in the column of that name."""
        try:
            column = self._table.columns[name]
        except KeyError:
            raise AttributeError(name) from None
        return value_at(column, self._index)


def table_of(row: Row) -> Table:
    """Return the table of a row. This is not a method, because the attributes of a row are its columns."""
    return row._table  # noqa: SLF001


def index_of(row: Row) -> int:
    """Return the index of a row in its table."""
    return row._index  # noqa: SLF001


class Rows(Sequence[Row]):
    """Consecutive rows of a table, as the list that graphql-core completes."""

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
        selected = range(*self.span)[index]
        if isinstance(selected, range):
            return [Row(self.table, row_index) for row_index in selected]
        return Row(self.table, selected)

    def __iter__(self) -> Iterator[Row]:
        return (Row(self.table, index) for index in range(*self.span))


def value_at(column: Column, index: int) -> Any:
    """Return the value of one parent in a column: a leaf, a list of leaves, a `Row` or None, or `Rows`."""
    if isinstance(column, Many):
        return Rows(column.rows, column.spans[index])
    if isinstance(column, Lists):
        start, stop = column.spans[index]
        return column.items[start:stop]
    if isinstance(column, One):
        row_index = column.index[index]
        return None if row_index is None else Row(column.rows, row_index)
    return column[index]
