"""The columns that a request needs, with the keys of those that are lists of rows under keys."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Self

_ALL_KEYS: Mapping[str, frozenset[str]] = MappingProxyType({})


class Columns(frozenset[str]):
    """The names of columns. `keys` has the keys that are needed of a column, if not all keys are.

    A store may read only these keys of a `Many` column, and sets `Many.keys` to them. A store that ignores
    `keys` returns all keys and leaves `Many.keys` None. Set operations such as `|` return a plain frozenset,
    which stands for all keys of every column. `with_all` preserves the keys.
    """

    __slots__ = ("keys",)

    keys: Mapping[str, frozenset[str]]

    def __new__(cls, names: Iterable[str], keys: Mapping[str, frozenset[str]] = _ALL_KEYS) -> Self:
        """Return columns; `keys` has the keys of those columns that are not needed as a whole."""
        columns = super().__new__(cls, names)
        columns.keys = keys
        return columns

    def with_all(self, names: Iterable[str]) -> "Columns":
        """Return these columns and all keys of others."""
        others = frozenset(names)
        keys = {name: keys for name, keys in self.keys.items() if name not in others}
        return Columns(self.union(others), keys)

    def __eq__(self, other: object) -> bool:
        """Return whether the other columns have the same names and keys."""
        other_keys = other.keys if isinstance(other, Columns) else _ALL_KEYS
        return super().__eq__(other) is True and self.keys == other_keys

    def __ne__(self, other: object) -> bool:
        """Return whether the other columns differ in a name or a key."""
        return not self == other

    __hash__ = frozenset.__hash__


def keys_of(columns: Collection[str], column: str) -> frozenset[str] | None:
    """Return the keys of a column that are needed; None for all keys."""
    return columns.keys.get(column) if isinstance(columns, Columns) else None
