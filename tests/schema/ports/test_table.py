"""Views of tables: rows, and children as rows of other tables."""

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


def test_attributes_of_a_row_are_its_values() -> None:
    """The attributes of a row are its values in the columns."""
    row = Row(TABLE, 0)
    assert row.name == "a"
    assert [point.step for point in row.points] == [1, 2]
    assert row.steps == [1]
    assert row.last.step == 3
    assert (table_of(row), index_of(row)) == (TABLE, 0)


def test_missing_children_are_none_or_empty() -> None:
    """A row without a child has None, a row without children an empty list."""
    row = Row(TABLE, 1)
    assert row.name is None
    assert list(row.points) == []
    assert row.last is None


def test_missing_column_is_an_error() -> None:
    """A column that was not requested is an error that names it, not None."""
    with pytest.raises(AttributeError, match="status"):
        Row(TABLE, 0).status  # noqa: B018 - for what it raises
    with pytest.raises(KeyError, match="status"):
        TABLE["status"]


def test_rows_are_a_sequence() -> None:
    """Rows have a length, indexes from both ends, slices and an order."""
    rows = Rows(POINTS, (1, 3))
    assert len(rows) == 2
    assert [row.step for row in rows] == [2, 3]
    assert (rows[0].step, rows[-1].step) == (2, 3)
    assert [row.step for row in rows[1:]] == [3]
    with pytest.raises(IndexError):
        rows[2]


def test_rows_do_not_exceed_their_span() -> None:
    """An index outside the span is an error, not a row of another parent."""
    rows = Rows(POINTS, (1, 2))
    with pytest.raises(IndexError):
        rows[1]
    with pytest.raises(IndexError):
        rows[-2]


def test_value_at() -> None:
    """`value_at` returns the value of one parent in a column of any kind."""
    assert value_at([5, 6], 1) == 6
    picked = value_at(TABLE["points"], 0)
    assert isinstance(picked, Rows)
    assert (picked.table, picked.span) == (POINTS, (0, 2))
    assert value_at(TABLE["steps"], 1) == [2, 3]
    assert value_at(TABLE["last"], 1) is None


def test_columns_for_a_single_parent() -> None:
    """All rows are the list of a single parent; the first row, if any, is its object."""
    assert Many.for_single_parent(POINTS).spans == [(0, 3)]
    assert One.for_single_parent(POINTS).index == [0]
    assert One.for_single_parent(Table(0, {})).index == [None]
