"""Tables show their columns as rows, and children as rows of other tables."""

import pytest

from schema.ports.table import Lists, Many, One, Row, Rows, Table, index_of, table_of, value_at

POINTS = Table(3, {"step": [1, 2, 3]})
TABLE = Table(
    2,
    {
        "name": ["a", None],
        "points": Many(POINTS, [(0, 2), (2, 2)]),
        "steps": Lists([1, 2, 3], [(0, 1), (1, 3)]),
        "last": One(POINTS, [2, None]),
    },
)


def test_row() -> None:
    """A row's attributes are its values of the columns."""
    row = Row(TABLE, 0)
    assert row.name == "a"
    assert [point.step for point in row.points] == [1, 2]
    assert row.steps == [1]
    assert row.last.step == 3
    assert (table_of(row), index_of(row)) == (TABLE, 0)


def test_row_without() -> None:
    """What a row has none of is null or empty."""
    row = Row(TABLE, 1)
    assert row.name is None
    assert list(row.points) == []
    assert row.last is None


def test_column_that_is_not_there() -> None:
    """A column that was not asked of the store is an error that names it, not a null."""
    with pytest.raises(AttributeError, match="status"):
        Row(TABLE, 0).status  # noqa: B018 - for what it raises
    with pytest.raises(KeyError, match="status"):
        TABLE["status"]


def test_rows() -> None:
    """Rows are a sequence: of a length, by index from both ends, by slice, and in order."""
    rows = Rows(POINTS, (1, 3))
    assert len(rows) == 2
    assert [row.step for row in rows] == [2, 3]
    assert (rows[0].step, rows[-1].step) == (2, 3)
    assert [row.step for row in rows[1:]] == [3]
    with pytest.raises(IndexError):
        rows[2]


def test_rows_stay_within_their_span() -> None:
    """No index of some rows reaches those of another parent."""
    rows = Rows(POINTS, (1, 2))
    with pytest.raises(IndexError):
        rows[1]
    with pytest.raises(IndexError):
        rows[-2]


def test_pick() -> None:
    """`value_at` returns what one parent has in a column, whatever the column is."""
    assert value_at([5, 6], 1) == 6
    picked = value_at(TABLE["points"], 0)
    assert isinstance(picked, Rows)
    assert (picked.table, picked.span) == (POINTS, (0, 2))
    assert value_at(TABLE["steps"], 1) == [2, 3]
    assert value_at(TABLE["last"], 1) is None


def test_whole_and_single() -> None:
    """All rows are the list of a single parent, and one row is its object, where there is one."""
    assert Many.for_single_parent(POINTS).spans == [(0, 3)]
    assert One.for_single_parent(POINTS).index == [0]
    assert One.for_single_parent(Table(0, {})).index == [None]
