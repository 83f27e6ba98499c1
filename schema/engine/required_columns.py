"""The columns of a table that a field requires, which its definition states.

Requests to a store contain the columns of all selected fields. For a list under keys, such as the params of
runs, they also contain the keys, unless a field needs all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from graphql import GraphQLError

from schema.engine.field_arguments import FieldArguments
from schema.ports.columns import Columns

REQUIRES: Final = "requires"
"""The key in a field's metadata for the columns of the table that its resolver reads."""


@dataclass(frozen=True, slots=True)
class KeyedColumn:
    """A list under keys of which a resolver reads some keys only.

    The keys are `keys`, or the value of an argument: one key or a list of keys. An omitted argument and null
    stand for all keys.
    """

    name: str
    argument: str = ""
    keys: frozenset[str] = frozenset()


Requirement: TypeAlias = str | KeyedColumn


@dataclass(frozen=True, slots=True)
class RequiredColumns:
    """The columns that fields require. `keyed` has the lists of which some keys suffice for each field."""

    names: frozenset[str]
    keyed: tuple[tuple[KeyedColumn, FieldArguments], ...]

    @property
    def is_constant(self) -> bool:
        """Return whether the keys are the same for all values of variables."""
        return all(arguments.is_constant for _, arguments in self.keyed)

    def columns(self, variables: dict[str, Any]) -> Columns:
        """Return the columns for these values of variables."""
        keys: dict[str, frozenset[str]] = {}
        whole: set[str] = set()
        for column, arguments in self.keyed:
            needed = _keys(column, arguments, variables)
            if needed is None:
                whole.add(column.name)
            else:
                keys[column.name] = keys.get(column.name, frozenset()) | needed
        return Columns(self.names, {name: needed for name, needed in keys.items() if name not in whole})


def required_columns(fields: Iterable[tuple[Sequence[Requirement], FieldArguments]]) -> RequiredColumns:
    """Return the columns that all of these fields together require."""
    names: set[str] = set()
    whole: set[str] = set()
    keyed: dict[tuple[KeyedColumn, int], tuple[KeyedColumn, FieldArguments]] = {}
    for requirements, arguments in fields:
        for column in requirements:
            if isinstance(column, KeyedColumn):
                names.add(column.name)
                keyed[column, id(arguments)] = (column, arguments)
            else:
                names.add(column)
                whole.add(column)
    return RequiredColumns(
        frozenset(names), tuple(each for each in keyed.values() if each[0].name not in whole)
    )


def _keys(column: KeyedColumn, arguments: FieldArguments, variables: dict[str, Any]) -> frozenset[str] | None:
    if not column.argument:
        return column.keys
    try:
        value = arguments.values(variables).get(column.argument)
    except GraphQLError:
        # The field itself reports that its arguments are invalid.
        return frozenset()
    if isinstance(value, str):
        return frozenset((value,))
    return frozenset(value) if isinstance(value, list | tuple) else None
