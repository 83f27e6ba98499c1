"""Rows that belong to the rows of a table: taken from the table, or read from the store."""

from collections.abc import Collection

import pytest

from schema.ports.related_rows import Values, related_row, related_rows, related_values, settled
from schema.ports.table import Many, One, Table

PAIRS = Table(5, {"key": ["a", "b", "c", "b", "c"], "value": ["1", "2", "3", "4", "5"]})
SPANS = [(0, 3), (3, 3), (3, 5)]


class Store:
    """The three parents' pairs, with a count of the calls."""

    def __init__(self) -> None:
        """Make a store that was not called."""
        self.calls: list[Collection[str] | None] = []

    async def read(self, keys: Collection[str] | None) -> Many:
        """Return the pairs with these keys."""
        self.calls.append(keys)
        result = related_rows(loaded(None), "params", keys, self.read)
        assert isinstance(result, Many)
        return result


def loaded(keys: frozenset[str] | None) -> Table:
    """Return a table whose store returned the pairs under these keys."""
    return Table(3, {"params": Many(PAIRS, SPANS, keys)})


def _lists(many: Many) -> list[list[str]]:
    return [list(many.rows["value"][start:stop]) for start, stop in many.spans]


@pytest.mark.parametrize("keys", [None, frozenset("abc")])
def test_equal_keys_are_not_filtered(keys: frozenset[str] | None) -> None:
    """Rows under exactly the requested keys are returned as they are, without a call or a wait."""
    table, store = loaded(keys), Store()
    assert related_rows(table, "params", keys, store.read) is table["params"]
    assert store.calls == []


def test_fewer_keys_are_selected() -> None:
    """Rows under more keys than requested are filtered, and the result states its keys."""
    many = related_rows(loaded(None), "params", ["b", "zz"], Store().read)
    assert isinstance(many, Many)
    assert _lists(many) == [["2"], [], ["4"]]
    assert many.keys == frozenset(("b", "zz"))


@pytest.mark.parametrize("keys", [None, ["a"], ["a", "b"]])
async def test_other_keys_are_read(keys: list[str] | None) -> None:
    """The store is called for keys that it did not return with the rows."""
    store = Store()
    many = await settled(related_rows(loaded(frozenset("bc")), "params", keys, store.read))
    assert _lists(many)[0] == ["1", "2", "3"][: 3 if keys is None else len(keys)]
    assert store.calls == [None if keys is None else frozenset(keys)]


@pytest.mark.parametrize("keys", [None, frozenset("abc"), frozenset("b")])
def test_values_under_one_key(keys: frozenset[str] | None) -> None:
    """The value under one key is taken from loaded rows at once, None for a parent without it."""
    table = loaded(None)
    if keys is not None:
        related = related_rows(table, "params", keys, Store().read)
        assert isinstance(related, Many)
        table = Table(3, {"params": related})
    store = Store()
    assert related_values(table, "params", "b", store.read) == ["2", None, "4"]
    assert store.calls == []


async def test_values_that_were_not_loaded_are_read() -> None:
    """The value under one key is read if the loaded rows do not cover it."""
    store = Store()
    values: Values = await settled(related_values(loaded(frozenset("b")), "params", "a", store.read))
    assert values == ["1", None, None]
    assert store.calls == [frozenset("a")]


def test_row_under_one_key_has_a_table_of_its_own() -> None:
    """The rows under one key are without the others, which need not be completed then."""
    one = related_row(loaded(None), "params", "c", Store().read)
    assert isinstance(one, One)
    assert one.rows.size == 2
    assert one.rows["value"] == ["3", "5"]
    assert one.index == [0, None, 1]


def test_first_of_repeated_keys_is_taken() -> None:
    """A parent that has a key twice has its first row under it, and parents may share rows."""
    many = Many(Table(2, {"key": ["a", "a"], "value": ["1", "2"]}), [(0, 2), (1, 2), (0, 0)])
    table = Table(3, {"params": many})
    assert related_values(table, "params", "a", Store().read) == ["1", "2", None]
